# SPDX-License-Identifier: Apache-2.0
"""The example of the docs, as it stands there."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[4] / "docs" / "environments.md"


def test_stable_baselines_trains_by_the_example_of_the_docs() -> None:
    section = DOCS.read_text().split("### With Stable-Baselines3")[1]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    model = names["model"]
    assert model.num_timesteps == 256
    assert model.policy.action_space.nvec.tolist() == [5] * 4
