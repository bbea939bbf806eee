# SPDX-License-Identifier: Apache-2.0
"""People who cross the aisles and stop robots."""
