# SPDX-License-Identifier: Apache-2.0
"""Federations measured: against Flower's own engine, under faults and attacks, and learning."""
