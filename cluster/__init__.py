# SPDX-License-Identifier: Apache-2.0
"""Composition root: command line, configuration, Ray, run folders, reports."""
