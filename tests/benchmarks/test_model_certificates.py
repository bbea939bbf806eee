# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from benchmarks import model_certificates
from benchmarks.damaged_models import DAMAGES
from benchmarks.model_certificates import KINDS, Tally, judge, random_graph
from benchmarks.model_decodings import SAMPLING, decoders_of
from sim.schedule import Assignment


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_what_is_finite_is_certified_and_what_is_not_is_refused_by_name(number: int) -> None:
    rng = np.random.default_rng(number)
    graph = random_graph(number, rng)
    tallies = {"random, scale 1": Tally(), "heads, scale 1e+30": Tally(), "everything nan": Tally()}
    judge(graph, tallies, rng)
    sound, huge, damaged = tallies.values()
    decoders = len(decoders_of(graph))
    assert sound.decodes == huge.decodes == 4 * SAMPLING.latents * decoders
    assert sound.violations == huge.violations == []
    assert sound.refusals.total() == huge.refusals.total() == 0
    assert damaged.decodes == 0
    assert damaged.refusals.total() == decoders
    assert all("that are not finite" in message for message in damaged.refusals)


def test_a_decoder_that_errs_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(graph, assignment, known):
        return right(graph, Assignment(1 - assignment.order * 2, assignment.following), known)

    right = model_certificates.violation
    monkeypatch.setattr(model_certificates, "violation", wrong)
    rng = np.random.default_rng(0)
    tallies = {"random, scale 1": Tally()}
    judge(random_graph(0, rng), tallies, rng)
    (tally,) = tallies.values()
    assert tally.violations
    assert "order -1; 0 or 1 is allowed" in tally.violations[0]


def test_every_damage_has_its_own_name() -> None:
    assert len(DAMAGES) == 30
