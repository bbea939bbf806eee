# SPDX-License-Identifier: Apache-2.0
"""Actors that collect rollouts and a learner that learns from them; none of it knows Ray."""
