# SPDX-License-Identifier: Apache-2.0
"""Measurements behind the figures in docs/benchmarks.md; ``python -m benchmarks`` runs them all."""
