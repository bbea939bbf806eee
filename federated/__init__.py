# SPDX-License-Identifier: Apache-2.0
"""Learning across sites with Flower, and the audit of what it gives away. Knows agents."""
