# SPDX-License-Identifier: Apache-2.0
"""The report of a ``label`` run, from the same parts as the others."""
