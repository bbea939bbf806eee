# SPDX-License-Identifier: Apache-2.0
"""Circuits, engines and quantum cells. Imports nothing of ours."""
