# SPDX-License-Identifier: Apache-2.0
"""Worlds in which an agent sees, acts and is paid: several at once, one call for all."""
