# SPDX-License-Identifier: Apache-2.0
"""``python -m cluster report RUN``."""

from cluster.options import Report
from cluster.out import existing_run
from cluster.report import write_report


def report(options: Report) -> int:
    """Write the report again and print its path."""
    print(write_report(existing_run(options.run)).resolve())
    return 0
