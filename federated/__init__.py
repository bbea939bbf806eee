# SPDX-License-Identifier: Apache-2.0
"""Learning across sites with Flower, and the audit of what it gives away. Knows agents."""

import os

# Flower tells of every message that it makes, unless this is set before it is imported.
os.environ.setdefault("FLWR_LOG_LEVEL", "ERROR")
