# SPDX-License-Identifier: Apache-2.0
"""Engines: what evaluates a circuit, behind one signature."""

from quantum.engines.choose import make_engine
from quantum.engines.interface import Engine, EngineChoice, EngineName, MakeEngine

__all__ = ["Engine", "EngineChoice", "EngineName", "MakeEngine", "make_engine"]
