# SPDX-License-Identifier: Apache-2.0
"""The quantum engine against its targets; ``python -m benchmarks.quantum`` runs every part."""
