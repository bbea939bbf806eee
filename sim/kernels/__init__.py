# SPDX-License-Identifier: Apache-2.0
"""Compiled loops. Each has a slow twin elsewhere in ``sim`` that the tests compare it with."""
