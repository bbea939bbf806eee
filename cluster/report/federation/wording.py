# SPDX-License-Identifier: Apache-2.0
"""How regimes, data sizes and rounds are called."""

from collections.abc import Sequence

from cluster.report.wording import MISSING, loss_words, number, spoken

NAMES = {"local_elsewhere": "elsewhere"}
"""Names too long for a chart."""
WORDS = {
    "trivial": "what needs no model: the site's most frequent class, its mean, or the last known",
    "local": "every site learns alone, judged at home",
    "local_elsewhere": "the same models, each judged on the test samples of all",
    "federated": "one model, learnt in rounds, and the data stay where they are",
    "centralised": "one model, learnt from everybody's training parts in one place",
}
WORDS_OF_POLICIES = {
    "trivial": "what looks at nothing: always the action that is best there, or any at random",
    "local": "every site learns alone, judged at home",
    "local_elsewhere": "the same policies, each judged in the test episodes of all",
    "federated": "one policy, learnt in rounds, and each site plays in its own environments",
    "centralised": "one policy, which plays in everybody's environments",
}
UNITS = ("B", "kB", "MB", "GB", "TB")


def regime_name(regime: str) -> str:
    """A regime as charts and tables call it."""
    return NAMES.get(regime, spoken(regime))


def small_loss_words(value: float | None) -> str:
    """A loss in three decimals, so that neighbours compare; else in powers of ten."""
    if value is not None and 0.0095 <= value < 9.9995:
        return number(value, 3)
    return loss_words(value)


def size_words(size: float | None) -> str:
    """Bytes with about three figures, in powers of a thousand; a dash where there are none."""
    if size is None:
        return MISSING
    unit = 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{number(size, 0 if unit == 0 or size >= 99.5 else 1)}\u00a0{UNITS[unit]}"


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers with runs of three or more drawn together: ``1, 2, 5 to 9``."""
    runs: list[list[int]] = []
    for one in numbers:
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return ", ".join(
        f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )
