# SPDX-License-Identifier: Apache-2.0
"""The report of a ``compare`` run: policies against each other, and against no training."""
