# SPDX-License-Identifier: Apache-2.0
"""The living warehouse as environments; importing it registers them with Gymnasium."""

from gymnasium.envs.registration import register, registry

ID = "fedfleet/Warehouse-v0"

if ID not in registry:
    register(
        ID,
        entry_point="sim.environments.warehouse.single:WarehouseEnv",
        vector_entry_point="sim.environments.warehouse.vector:WarehouseVectorEnv",
    )
