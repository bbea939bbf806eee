# SPDX-License-Identifier: Apache-2.0
"""Trainings on Ray: actors that act, a learner that learns, and what happens when one dies."""
