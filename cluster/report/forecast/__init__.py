# SPDX-License-Identifier: Apache-2.0
"""The report of a ``forecast`` run, from the same parts as the others."""
