# SPDX-License-Identifier: Apache-2.0
"""The living warehouse: many worlds of many robots with orders, delays and people."""
