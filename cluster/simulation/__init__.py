# SPDX-License-Identifier: Apache-2.0
"""The trials of ``simulate``: worlds that live under a controller, with checkpoints."""
