# SPDX-License-Identifier: Apache-2.0
"""Worlds, conflicts, schedules and classical coordinators. Imports nothing of ours."""
