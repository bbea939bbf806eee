# SPDX-License-Identifier: Apache-2.0
"""Engines: what evaluates a circuit, behind one signature."""

from quantum.engines.choose import make_engine
from quantum.engines.interface import Engine, EngineName

__all__ = ["Engine", "EngineName", "make_engine"]
