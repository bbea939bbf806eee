# SPDX-License-Identifier: Apache-2.0
"""The report of a ``federate`` run, from the same parts as the others."""
