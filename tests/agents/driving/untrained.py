# SPDX-License-Identifier: Apache-2.0
"""Tiny policies that nobody trained."""

import numpy as np
import torch

from agents.driving.pilot import Pilot
from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from agents.policies.policy import to_arrays
from sim.environments.make import interface_of


def untrained(core: CoreName = CoreName.GRU, seed: int = 0) -> Pilot:
    """A policy that prefers no action over all that it may see."""
    options, environment = PolicyOptions(core, 2000), "warehouse-2"
    interface = interface_of(environment)
    policy = make_policy(options, interface, torch.Generator().manual_seed(seed))
    rng = np.random.default_rng(seed)
    seen = torch.from_numpy(rng.integers(0, 2, (256, 1, *interface.shape)).astype(np.uint8))
    with torch.no_grad():
        begins = torch.ones(256, 1, dtype=torch.bool)
        said = policy.unroll(seen, policy.initial_state(256), begins)
        policy.actor.bias -= said.logits.mean((0, 1))
    return Pilot(environment, options, to_arrays(policy))
