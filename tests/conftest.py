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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell pytest-xdist what belongs together: a file, for its fixtures; and all that needs Ray, so
    that one process starts the one Ray."""
    on_ray = {item.path for item in items if item.get_closest_marker("ray")}
    for item in items:
        group = "ray" if item.path in on_ray else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def ray_instance() -> Iterator[None]:
    """The one Ray of the test session: starting it takes seconds to a minute on a busy machine."""
    from cluster.runtime import ray_runtime

    with ray_runtime("local", workers=2):
        yield
