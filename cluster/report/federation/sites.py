# SPDX-License-Identifier: Apache-2.0
"""Every site under every regime."""

from cluster.report.federation.makeup_file import Makeup
from cluster.report.federation.results import FederationRun, Result
from cluster.report.federation.wording import regime_name
from cluster.report.markup import Markup, element
from cluster.report.tables import row, table
from cluster.report.wording import MISSING, counted, number

MOST_OPEN = 15
"""Sites whose table is not folded."""


def site_table(run: FederationRun) -> Markup:
    """Every site under every regime; folded when there are many."""
    head = ("site", "train", "test", *(regime_name(regime) for regime in run.regimes))
    known = {regime: run.at_sites(regime) for regime in run.regimes}
    sizes = _sizes(run)
    rows = [row(head, _site_cells(run, site, known, sizes)) for site in run.sites]
    drawn = table(head, element("tbody", *rows))
    if len(rows) <= MOST_OPEN:
        return drawn
    return element(
        "details", element("summary", f"Every site ({counted(len(rows), 'row')})"), drawn
    )


def _site_cells(
    run: FederationRun,
    site: int,
    known: dict[str, dict[int, Result]],
    sizes: dict[int, tuple[int | None, int]],
) -> list[str]:
    train, test = sizes.get(site, (None, None))
    results = [at_sites.get(site) for at_sites in known.values()]
    words = run.measure.words
    return [
        str(site),
        number(train, 0),
        number(test, 0),
        *(words(run.measure.of(r.score)) if r else MISSING for r in results),
    ]


def _sizes(run: FederationRun) -> dict[int, tuple[int | None, int]]:
    """Training and test samples by site, from the partition or else from the local models."""
    if isinstance(run.makeup, Makeup):
        return {site.site: (site.train, site.test) for site in run.makeup.sites}
    own = run.at_sites("local")
    return {site: (result.train_samples, result.score.samples) for site, result in own.items()}
