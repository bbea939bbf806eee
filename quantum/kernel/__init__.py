# SPDX-License-Identifier: Apache-2.0
"""The native kernel: its source, how it is built, and how it is called."""
