# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no bug: the hard limit per test is the only clock. The examples are the same in
# every run, so that a change is judged by what it changed; `pytest --hypothesis-profile fuzz` looks
# for new ones.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("fuzz", settings.get_profile("house"), derandomize=False)
settings.load_profile("house")


@pytest.fixture(scope="session")
def ray_instance() -> Iterator[None]:
    """The one Ray of the test session: starting it takes seconds to a minute on a busy machine."""
    from cluster.runtime import ray_runtime

    with ray_runtime("local", workers=2):
        yield
