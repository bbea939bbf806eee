# SPDX-License-Identifier: Apache-2.0
"""RWARE's rules as batched, compiled worlds."""
