# SPDX-License-Identifier: Apache-2.0
"""Short programs that use the packages directly; every one is run by a test."""
