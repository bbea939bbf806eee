# SPDX-License-Identifier: Apache-2.0
"""What agents that remember cost; ``python -m benchmarks.agents`` runs every part."""
