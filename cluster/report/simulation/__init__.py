# SPDX-License-Identifier: Apache-2.0
"""The report of ``simulate``: worlds that live under several controllers."""
