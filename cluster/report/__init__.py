# SPDX-License-Identifier: Apache-2.0
"""The report: one self-contained HTML file, made from a run folder alone."""

from cluster.report.page import build_report, write_report

__all__ = ["build_report", "write_report"]
