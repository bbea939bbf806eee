# SPDX-License-Identifier: Apache-2.0
"""Controllers: what decides, tick by tick, what every robot of a living warehouse does."""
