# SPDX-License-Identifier: Apache-2.0
"""Trained policies that drive the robots of living warehouses."""
