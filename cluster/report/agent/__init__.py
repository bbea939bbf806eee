# SPDX-License-Identifier: Apache-2.0
"""The report of a ``train`` run: one policy, how it learnt and what it does."""
