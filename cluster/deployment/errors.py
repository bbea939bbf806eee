# SPDX-License-Identifier: Apache-2.0
"""What can go wrong once processes run."""


class DeploymentFailed(Exception):  # noqa: N818 - it is what happened
    """The federation cannot go on; the text is one line for people."""
