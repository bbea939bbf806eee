# SPDX-License-Identifier: Apache-2.0
"""The result in words, no stronger than the scores; the trivial answer always has its say."""

from dataclasses import dataclass

from cluster.report.federation.measure import ACCURACY, Measure, Score
from cluster.report.federation.results import FederationRun
from cluster.report.wording import capitalised, counted, number

SPOKEN = (("federated", "together"), ("centralised", "pooled"), ("local", "each alone"))
SPOKEN_OF_ONE = (("federated", "in rounds"), ("centralised", "at once"), ("local", "alone"))


@dataclass(frozen=True)
class Verdicts:
    """At how many sites the federated model beats the site's own, or does as well."""

    better: int
    equal: int
    sites: int


def headline(run: FederationRun) -> tuple[str, list[str]]:
    """The title sentence, and the sentences that it needs beside it."""
    if not run.results:
        return "The run has no results yet", []
    measure = run.measure
    if measure.of(run.overall("federated")) is None:
        return "The federated model was not judged", _trivial_words(run)
    support = [*_trivial_words(run), *_elsewhere_words(run), *_price_words(run)]
    return _title(run), [*support, *_verdict_words(run)]


def _title(run: FederationRun) -> str:
    measure, count = run.measure, len(run.sites)
    federated = run.overall("federated")
    sites = counted(count, "site")
    if not _beats(measure, federated, run.overall("trivial")):
        verb = "does" if count == 1 else "do"
        words = f"{sites} that learned in rounds {verb} no better than a constant answer"
        return f"{words}: {_numbers(run, trivial=True)}"
    if count > 1 and not _beats(measure, federated, run.overall("local")):
        return f"{sites} gain nothing at home by learning together: {_numbers(run)}"
    return f"{sites}{' that share no data' if count > 1 else ''}: {_numbers(run)}"


def _beats(measure: Measure, one: Score, other: Score) -> bool:
    """Whether a score is better than another; what was not measured is no rival."""
    gain = measure.gain(one, other)
    return gain is None or gain > 0


def _numbers(run: FederationRun, trivial: bool = False) -> str:
    """``94.1 % together, 96.0 % pooled, 81.3 % each alone``, as far as there are numbers."""
    measure = run.measure
    names = SPOKEN if len(run.sites) > 1 else SPOKEN_OF_ONE
    spoken = [*names, *([("trivial", "without learning")] if trivial else [])]
    values = [(measure.of(run.overall(regime)), words) for regime, words in spoken]
    told = ", ".join(f"{measure.words(v)} {words}" for v, words in values if v is not None)
    return told if measure is ACCURACY else f"{told} (test {measure.name})"


def _trivial_words(run: FederationRun) -> list[str]:
    measure = run.measure
    value = measure.of(run.overall("trivial"))
    if value is None:
        return []
    return [f"{measure.trivial} reaches {measure.words(value)}."]


def _elsewhere_words(run: FederationRun) -> list[str]:
    value = run.measure.of(run.overall("local_elsewhere"))
    if value is None or len(run.sites) < 2:
        return []
    words = run.measure.words(value)
    tests = run.measure.terms.tests
    return [f"A site's own model reaches {words} on the {tests} of all sites."]


def _price_words(run: FederationRun) -> list[str]:
    measure = run.measure
    price = measure.gain(run.overall("centralised"), run.overall("federated"))
    if price is None or len(run.sites) < 2:
        return []
    if price < 0:
        return [f"Together is better than pooled here, by {measure.gain_words(-price)}."]
    unit = "" if measure is ACCURACY else f" of {measure.name}"
    return [f"The price of privacy, pooled against together, is {measure.gain_words(price)}{unit}."]


def verdicts(run: FederationRun) -> Verdicts:
    """The federated model against the site's own, at every site that has tests for both."""
    alone, together = run.at_sites("local"), run.at_sites("federated")
    both = [site for site in together if site in alone]
    gains = [run.measure.gain(together[site].score, alone[site].score) for site in both]
    known = [gain for gain in gains if gain is not None]
    return Verdicts(sum(g > 0 for g in known), sum(g == 0 for g in known), len(known))


def _verdict_words(run: FederationRun) -> list[str]:
    found = verdicts(run)
    if found.sites < 2:
        return []
    equal = f", and as good at {number(found.equal, 0)}" if found.equal else ""
    words = f"the federated model is better than the site's own at {number(found.better, 0)}{equal}"
    return [f"{capitalised(words)} of {number(found.sites, 0)} sites."]
