# SPDX-License-Identifier: Apache-2.0
"""One colour and one shape per coordinator or model, the same in every chart and report."""

from cluster.report.markup import Markup, coordinate, element

COORDINATORS = (
    *("fcfs", "priority", "insertion", "milp"),
    *("tree_search", "cma", "local_search", "portfolio", "gnn_vae", "gnn_vae+ls"),
)
MODELS = (
    "ar",  # the first colour is grey
    *("qfwp_bounded", "qfwp_gated", "qlstm", "qlstm4", "lstm", "qfwp", "qfwp_decay"),
    *("delta", "gru", "fwp", "vqc", "fwp_gated", "mlp"),
)
FEDERATION = (
    *("trivial", "elsewhere", "local", "federated", "global", "centralised"),
    *("head", "prior", "fedprox", "training", "test"),
)
"""Regimes, how a model is made a site's own, and losses; the first is grey."""
CONTROLLERS = (
    *("pibt", "coordinated:fcfs", "prioritised", "rolling", "coordinated:priority"),
    *("coordinated:insertion", "coordinated:gnn_vae+ls", "coordinated:gnn_vae"),
    *("coordinated:local_search", "coordinated:portfolio", "coordinated:milp", "coordinated:cma"),
    "coordinated:tree_search",
)
"""What drives the robots of a simulation; the first, which all have to beat, is grey."""
GREY = (
    *("ar", "mean", "persistence", "order_blind"),
    *("random", "constant", "best_constant", "heuristic", "optimum"),
)
"""Predictors and policies without training: all grey, apart by shape."""
COLOURS = 14
SHAPES = ("circle", "square", "diamond", "triangle")


def colour(name: str, names: list[str]) -> str:
    """The CSS colour of a name; names that are not built in follow in run order."""
    place = 0 if name in GREY else _position(name, names) % COLOURS
    return f"var(--series-{place})"


def marker(name: str, names: list[str], x: float, y: float, size: float = 4.5) -> Markup:
    """The mark of a name at a point."""
    shape = SHAPES[_position(name, names) % len(SHAPES)]
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=size)
    outline = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    }[shape]
    corners = [f"{coordinate(x + size * u)},{coordinate(y + size * v)}" for u, v in outline]
    return element("polygon", points=" ".join(corners))


def _position(name: str, names: list[str]) -> int:
    for known in (COORDINATORS, MODELS, FEDERATION, CONTROLLERS, GREY):
        if name in known:
            return known.index(name)
    built_in = (*COORDINATORS, *MODELS, *FEDERATION, *CONTROLLERS, *GREY)
    others = [other for other in names if other not in built_in]
    return len(COORDINATORS) + others.index(name)
