# SPDX-License-Identifier: Apache-2.0
"""Learned things: coordinators, policies, forecasters. Knows sim and quantum."""
