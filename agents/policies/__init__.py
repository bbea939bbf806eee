# SPDX-License-Identifier: Apache-2.0
"""Policies that remember: an encoder, a recurrent core (quantum or classical), two heads."""
