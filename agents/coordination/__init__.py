# SPDX-License-Identifier: Apache-2.0
"""Learned coordinators, and the solved instances that they learn from."""
