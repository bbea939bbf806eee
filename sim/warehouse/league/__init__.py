# SPDX-License-Identifier: Apache-2.0
"""The League of Robot Runners 2026: its delays, its output file, and a checker of it."""
