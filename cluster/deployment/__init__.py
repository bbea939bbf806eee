# SPDX-License-Identifier: Apache-2.0
"""A federation on Flower's own processes: one SuperLink, and a SuperNode at every site."""
