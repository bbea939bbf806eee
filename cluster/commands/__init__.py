# SPDX-License-Identifier: Apache-2.0
"""What each command does, from options to exit code."""
