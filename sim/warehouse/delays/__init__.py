# SPDX-License-Identifier: Apache-2.0
"""Delays of robots that live in ticks: without memory, Markov, and with long memory."""
