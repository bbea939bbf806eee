# SPDX-License-Identifier: Apache-2.0
"""The sections of a ``federate`` run in their order, each with the sentence that explains it."""

from pathlib import Path

from cluster.report.blocks import Content, figure, left_out, section, tile_row
from cluster.report.federation.curves import MOST_LINES, curves, drawn_sites
from cluster.report.federation.headline import headline
from cluster.report.federation.makeup import is_compact, makeup_figures
from cluster.report.federation.measure import RETURN
from cluster.report.federation.personal import personal_body
from cluster.report.federation.privacy import privacy_body, privacy_note
from cluster.report.federation.privacy_file import Privacy
from cluster.report.federation.regimes import MOST_DOTS, differences, regime_chart, regime_table
from cluster.report.federation.replies import replies_body
from cluster.report.federation.results import FederationRun, read_federation
from cluster.report.federation.rounds_file import Round
from cluster.report.federation.sites import site_table
from cluster.report.federation.traffic import total, traffic_tables
from cluster.report.federation.wording import size_words
from cluster.report.manifest import Missing
from cluster.report.markup import Markup, element
from cluster.report.provenance import provenance
from cluster.report.wording import capitalised, counted, number

REGIMES = (
    "The same model and the same budget, three times: every site alone, all in rounds without "
    "sharing data, and all {samples} in one place. Large numbers and marks weigh every {test} "
    "alike, whichever site it is at; small dots are sites. A site's test part is made up like its "
    "training part, so a model that knows no other site can do well at home and badly elsewhere. "
    "Against centralised: negative is worse."
)
FEWER_DOTS = f"Of the sites {MOST_DOTS} are drawn, evenly spaced in the order of their values."
TRAINING_LOSS = "mean over the steps of the sites, each at its own weights on the way."
TRAINING_RETURN = (
    "mean over the episodes that the sites began, each at its own weights on the way; what was "
    "still running at the end of a round counts with what it had brought."
)
TRAFFIC = (
    "Arrays as they are sent, without their envelopes. Circuit executions: what a quantum computer "
    "would have been asked to run for the same training; 0 means that the model has no circuits. "
    "A round: the median. In total: over all rounds."
)
PERSONAL = (
    "Sites that took no part in the rounds, each with little data of its own. Means over new sites "
    "with their 95 % t-interval (small print: half of it). Gains are paired, site by site, and "
    "positive where the method is better. global: the federated model as it came; local: a model "
    "of the site's own data alone."
)


def federation_content(folder: Path) -> Content:
    """The page of a ``federate`` run.

    Raises:
        InputError: the manifest or the results are missing or not what they should be.
    """
    run = read_federation(folder)
    title, support = headline(run)
    shown = [
        _regimes(run),
        _curves(run),
        _makeup(run),
        *_sites(run),
        *_personal(run),
        _traffic(run),
        _replies(run),
        *_privacy(run),
        section("Where this comes from", "", provenance(run.manifest)),
    ]
    return Content(run.manifest, run.name, title, support, _tiles(run), shown)


def _tiles(run: FederationRun) -> Markup:
    rounds = run.rounds if isinstance(run.rounds, list) else []
    tested = run.overall("federated").samples
    traffic = [total(rounds, lambda r: r.bytes_down), total(rounds, lambda r: r.bytes_up)]
    known = [size for size in traffic if size is not None]
    shown = [
        (number(len(run.sites), 0), "site" if len(run.sites) == 1 else "sites"),
        (number(len(rounds), 0), "round" if len(rounds) == 1 else "rounds"),
        (number(tested, 0), run.measure.terms.tests),
        (size_words(sum(known) if known else None), "sent in all"),
        (number(total(rounds, lambda r: r.circuits), 0), "circuit executions"),
    ]
    return tile_row(shown)


def _regimes(run: FederationRun) -> Markup:
    title = "The regimes side by side"
    if not run.results:
        return section(title, "The run has no results yet.")
    caption = f"Test {run.measure.name}, every site"
    pair = element("div", figure(caption, regime_chart(run)), differences(run), class_="pair")
    terms = run.measure.terms
    note = REGIMES.format(samples=terms.samples, test=terms.test)
    note = f"{note} {FEWER_DOTS}" if len(run.sites) > MOST_DOTS else note
    return section(title, note, pair, regime_table(run))


def _curves(run: FederationRun) -> Markup:
    title = "Learning curves"
    if isinstance(run.rounds, Missing):
        return left_out(title, run.rounds)
    judged = [
        one for one in run.rounds if one.test.samples and run.measure.of(one.test) is not None
    ]
    if len(run.rounds) < 2:
        return left_out(title, Missing("a curve needs two rounds"))
    if not judged and all(one.loss is None for one in run.rounds):
        return left_out(title, Missing("no round was judged"))
    return section(title, _curve_note(run, run.rounds), curves(run, run.rounds))


def _curve_note(run: FederationRun, rounds: list[Round]) -> str:
    many = drawn_sites(rounds) > MOST_LINES
    around = "The band holds the middle 80 % of the sites" if many else "Thin lines are sites"
    return (
        f"The global model after each round, over the {run.measure.terms.tests} of all sites. "
        f"{around}. Dashed: regimes that have no rounds, after the same budget. Training: "
        f"{TRAINING_RETURN if run.measure is RETURN else TRAINING_LOSS}"
    )


def _makeup(run: FederationRun) -> Markup:
    title = "Who has what"
    if isinstance(run.makeup, Missing):
        return left_out(title, run.makeup)
    if not run.makeup.sites:
        return left_out(title, Missing("the partition names no sites"))
    terms = run.measure.terms
    sizes = sorted(site.samples for site in run.makeup.sites)
    ends = str(sizes[0]) if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
    note = (
        f"Partition {run.makeup.partition}: {counted(len(sizes), 'site')} with {ends} "
        f"{terms.samples}, training and test part together."
    )
    if is_compact(run.makeup) and run.makeup.classes:
        note += " The stronger the colour, the larger a class's share of a site's samples."
    return section(title, note, makeup_figures(run.makeup, terms))


def _sites(run: FederationRun) -> list[Markup]:
    if not run.sites:
        return []
    name, tests = capitalised(run.measure.name), run.measure.terms.tests
    note = (
        f"{name} on the site's own test part, but for elsewhere, which is the site's own model on "
        f"the test parts of all. A dash: nothing was measured, or the site has no {tests}."
    )
    return [section("Site by site", note, site_table(run))]


def _personal(run: FederationRun) -> list[Markup]:
    title = "New sites"
    if run.personal is None:
        return []
    if isinstance(run.personal, Missing):
        return [left_out(title, run.personal)]
    return [section(title, PERSONAL, personal_body(run.personal))]


def _traffic(run: FederationRun) -> Markup:
    title = "What the rounds cost"
    if isinstance(run.rounds, Missing):
        return left_out(title, run.rounds)
    if not run.rounds:
        return left_out(title, Missing("no round has ended"))
    return section(title, TRAFFIC, *traffic_tables(run.rounds))


def _replies(run: FederationRun) -> Markup:
    title = "Replies"
    if isinstance(run.rounds, Missing):
        return left_out(title, run.rounds)
    if not run.rounds:
        return left_out(title, Missing("no round has ended"))
    return section(title, "", replies_body(run.rounds))


def _privacy(run: FederationRun) -> list[Markup]:
    title = "Privacy spent" if _spends(run) else "What sites did for privacy"
    if run.privacy is None:
        return []
    if isinstance(run.privacy, Missing):
        return [left_out(title, run.privacy)]
    rounds = [] if isinstance(run.rounds, Missing) else run.rounds
    return [section(title, privacy_note(run.privacy), privacy_body(run.privacy, rounds))]


def _spends(run: FederationRun) -> bool:
    found = run.privacy
    return not isinstance(found, Privacy) or bool(found.sample or found.client)
