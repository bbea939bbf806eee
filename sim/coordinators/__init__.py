# SPDX-License-Identifier: Apache-2.0
"""Coordinators: a coordination graph in, an assignment out, within a budget."""
