# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from agents.policies.make import make_policy
from agents.policies.options import CoreName, PolicyOptions
from agents.policies.policy import Policy, to_arrays
from sim.environments.interface import Interface, ObservationKind
from sim.errors import InputError

MINIGRID = Interface(ObservationKind.GRID, (7, 7, 3), 7, (11, 6, 4), 100)
IMAGE = Interface(ObservationKind.IMAGE, (20, 24, 3), 4)
CARTPOLE = Interface(ObservationKind.VECTOR, (4,), 2)
FIXED = [core for core in CoreName if core.value.startswith("qfwp")]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def policy(core: CoreName, interface: Interface, size: int | None = None, **options: str) -> Policy:
    chosen = PolicyOptions(core, size, **options)  # type: ignore[arg-type]
    return make_policy(chosen, interface, generator())


def test_qfwp_has_the_size_of_the_paper() -> None:
    assert policy(CoreName.QFWP, MINIGRID, grid_encoding="raw").num_parameters == 2530
    # Embedding: 11 types, 6 colours and 4 states, 3 numbers each.
    assert policy(CoreName.QFWP, MINIGRID).num_parameters == 2530 + 63
    assert policy(CoreName.QFWP_DECAY, MINIGRID).num_parameters == 2593 + 1
    assert policy(CoreName.QFWP_GATED, MINIGRID).num_parameters == 2593 + 9
    assert policy(CoreName.QFWP_BOUNDED, MINIGRID).num_parameters == 2593 + 18


@pytest.mark.parametrize("core", [core for core in CoreName if core not in FIXED])
@pytest.mark.parametrize("encoding", ["raw", "embedding"])
def test_opponents_are_as_large(core: CoreName, encoding: str) -> None:
    for size in (2500, None):
        wanted = size or policy(CoreName.QFWP, MINIGRID, grid_encoding=encoding).num_parameters
        found = policy(core, MINIGRID, size, grid_encoding=encoding).num_parameters
        # A front that grows by one unit has 147 weights more: half of that is 3 %.
        assert abs(found - wanted) / wanted < 0.035


@pytest.mark.parametrize("core", [CoreName.FWP, CoreName.DELTA, CoreName.MLP])
def test_a_size_is_the_nearest_there_is(core: CoreName) -> None:
    counts = {policy(core, CARTPOLE, wanted).num_parameters for wanted in range(150, 420, 10)}
    assert len(counts) > 5
    for wanted in (200, 301, 377):
        found = policy(core, CARTPOLE, wanted).num_parameters
        assert abs(found - wanted) == min(abs(count - wanted) for count in counts)


def test_qfwp_has_its_size_whatever_is_wanted() -> None:
    for core in FIXED:
        assert (
            policy(core, CARTPOLE, 100).num_parameters
            == policy(core, CARTPOLE, 9000).num_parameters
        )


def test_a_policy_follows_from_its_generator() -> None:
    options = PolicyOptions(CoreName.QLSTM, 300)
    one, same, other = (
        to_arrays(make_policy(options, CARTPOLE, generator(seed))) for seed in (1, 1, 2)
    )
    for name, value in one.items():
        np.testing.assert_array_equal(value, same[name])
    assert not np.array_equal(one["critic.weight"], other["critic.weight"])


@pytest.mark.parametrize("core", CoreName)
@pytest.mark.parametrize("interface", [CARTPOLE, MINIGRID, IMAGE], ids=lambda i: i.kind)
def test_every_core_begins_with_every_action_as_likely(
    core: CoreName, interface: Interface
) -> None:
    fresh = policy(core, interface, 2500)
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 4, (3, *interface.shape)).astype(interface.dtype)
    begins = np.ones(3, np.bool_)
    acted = fresh.act(seen, fresh.initial_state(3), begins, np.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(np.exp(acted.log_probs), 1 / interface.actions, rtol=0.05)
    assert acted.state.shape == fresh.initial_state(3).shape
    assert np.isfinite(acted.values).all()


def test_the_paper_s_initial_values_are_normal_and_biases_zero() -> None:
    fresh = make_policy(
        PolicyOptions(CoreName.QFWP, None, "raw", initial_std=0.1), MINIGRID, generator()
    )
    arrays = to_arrays(fresh)
    assert not any(value.any() for name, value in arrays.items() if name.endswith("bias"))
    weights = np.concatenate([v.ravel() for n, v in arrays.items() if n.endswith("weight")])
    assert weights.std() == pytest.approx(0.1, rel=0.05)
    assert arrays["actor.weight"].std() == pytest.approx(0.1, rel=0.3)


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="core is 'qfpw'; allowed: qfwp, "):
        PolicyOptions("qfpw")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="grid_encoding is 'hot'; allowed: embedding, raw"):
        PolicyOptions(grid_encoding="hot")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="match_params is 0; allowed: 1 or more"):
        PolicyOptions(match_params=0)
    with pytest.raises(InputError, match="initial_std is nan"):
        PolicyOptions(initial_std=float("nan"))
