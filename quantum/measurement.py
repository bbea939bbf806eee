# SPDX-License-Identifier: Apache-2.0
"""Which observables the same shots can measure."""

from collections.abc import Iterable, Sequence

from quantum.circuit import PauliString

Setting = tuple[int, ...]
"""Numbers of observables that are read from the same shots."""


def measurement_settings(
    observables: Sequence[PauliString], *, joint: bool = True
) -> tuple[Setting, ...]:
    """Groups of observables that one choice of measured axes serves.

    Two strings commute qubit by qubit where they ask for the same axis of every wire they share.
    The groups are found greedily, first fit; the fewest possible would be a graph colouring.

    Args:
        observables: the strings.
        joint: False gives every observable a setting of its own.
    """
    if not joint:
        return tuple((k,) for k in range(len(observables)))
    axes: list[dict[int, str]] = []
    groups: list[list[int]] = []
    for number, observable in enumerate(observables):
        wanted = _letters(observable)
        fitting = (g for g, known in enumerate(axes) if _agree(known, wanted))
        group = next(fitting, len(groups))
        if group == len(groups):
            axes.append({})
            groups.append([])
        axes[group] |= wanted
        groups[group].append(number)
    return tuple(map(tuple, groups))


def product_of(observables: Iterable[PauliString]) -> PauliString | None:
    """The product of strings of one setting; None is the identity."""
    letters: dict[int, str] = {}
    for observable in observables:
        for wire, letter in _letters(observable).items():
            if letters.pop(wire, None) is None:
                letters[wire] = letter
    wires = tuple(sorted(letters))
    return PauliString("".join(letters[w] for w in wires), wires) if wires else None


def _letters(observable: PauliString) -> dict[int, str]:
    return dict(zip(observable.wires, observable.letters, strict=True))


def _agree(one: dict[int, str], other: dict[int, str]) -> bool:
    return all(one.get(wire, letter) == letter for wire, letter in other.items())
