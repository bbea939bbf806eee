# SPDX-License-Identifier: Apache-2.0
"""A variational autoencoder on coordination graphs, after Meng et al., arXiv 2503.02954 (figure 2).

The encoder reads the complete coordination graph, with the labels' orders and types on the edges,
and gives one Gaussian for each graph. The decoder reads the graph without labels and a sample.
Both are GATv2 layers. Ours has two differences: robots are nodes as well, in the middle of their
intervals, so that news travels along a route in one layer; and only the last layers of the decoder
and the heads see the latent, so that K samples for one graph share all layers before.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv

from agents.coordination.features import EDGE_WIDTH, NODE_WIDTH, ROBOT_WIDTH, GraphBatch
from agents.coordination.options import ModelOptions
from sim.coordinators.dive import IMPULSE

LABEL_WIDTH = 2
"""Order (1 when the source passes first, -1 when the target does) and type of a conflict."""
LEAST_LOG_STD, MOST_LOG_STD = -6.0, 2.0


class Posterior(NamedTuple):
    """``[G, latent]`` mean and logarithm of the standard deviation."""

    mean: Tensor
    log_std: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """``[G, latent]`` from standard normal noise of that shape."""
        return self.mean + self.log_std.exp() * noise


class State(NamedTuple):
    """Node ``[V, width]`` and robot ``[N, width]`` embeddings."""

    node: Tensor
    robot: Tensor


class Prediction(NamedTuple):
    """What the decoder says, for each of K latents.

    Args:
        node_rank: ``[K, V]`` low passes first.
        robot_rank: ``[K, N]`` low is inserted first; differences are logits of Plackett-Luce.
        order: ``[K, C]`` logit that v passes first; changes sign with u and v. None where nobody
            asked.
        outlook: ``[K, G, 2]``, for one graph ``[K, 2]``: what the outlook of a dive counts beside
            these logits.
        exclusive: ``[K, C]`` logit that the conflict is exclusive, or None.
    """

    node_rank: Tensor
    robot_rank: Tensor
    order: Tensor | None
    outlook: Tensor
    exclusive: Tensor | None

    def split(self, batch: GraphBatch) -> "list[Prediction]":
        """One for each graph of the batch."""

        def parts(values: Tensor | None, sizes: tuple[int, ...]) -> Sequence[Tensor | None]:
            return [None] * len(sizes) if values is None else values.split(sizes, dim=1)

        columns = (
            parts(self.node_rank, batch.intervals),
            parts(self.robot_rank, batch.robots),
            parts(self.order, batch.conflicts),
            self.outlook.unbind(dim=1),
            parts(self.exclusive, batch.conflicts),
        )
        return [Prediction(*one) for one in zip(*columns, strict=True)]  # type: ignore[arg-type]


class Layer(nn.Module):
    """Intervals listen to their neighbours, robots to their intervals, intervals to their robot."""

    def __init__(self, width: int, heads: int, edge_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attend = GATv2Conv(
            width, width // heads, heads=heads, edge_dim=edge_width, add_self_loops=False
        )
        self.update = mlp(3 * width, width, width)
        self.tell = nn.Linear(width, width)

    def forward(self, state: State, robot_of: Tensor, edges: Tensor, edge: Tensor) -> State:
        """Embeddings after one round; edges [2, .] from source to target."""
        heard = self.attend(self.norm(state.node), edges, edge)
        node = state.node + nn.functional.gelu(heard)
        mean, highest = pool(node, robot_of, len(state.robot))
        robot = state.robot + self.update(torch.cat([state.robot, mean, highest], dim=1))
        return State(node + self.tell(robot)[robot_of], robot)


class CoordinationVAE(nn.Module):
    """Encoder, decoder and heads; see the module."""

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.options = options
        width = options.width
        self.encoder = _Network(options, options.encoder_layers, EDGE_WIDTH + LABEL_WIDTH)
        self.posterior = nn.Linear(2 * width, 2 * options.latent)
        self.shared = _Network(options, options.shared_layers, EDGE_WIDTH)
        self.node_latent = nn.Linear(options.latent, width)
        self.robot_latent = nn.Linear(options.latent, width)
        self.last = _layers(options, options.latent_layers, EDGE_WIDTH)
        self.node_head = mlp(width, width, 1)
        self.robot_head = mlp(width + ROBOT_WIDTH, width, 1)
        self.conflict_head = mlp(2 * width + EDGE_WIDTH, width, 2)
        self.outlook_head = nn.Linear(options.latent, 2)
        # a new model has no opinion: what a decision seems to cost at once then decides alone
        nn.init.normal_(self.conflict_head.get_parameter("2.weight"), std=1e-3)
        nn.init.normal_(self.outlook_head.weight, std=1e-3)
        with torch.no_grad():
            self.outlook_head.bias.copy_(torch.from_numpy(IMPULSE))

    def encode(self, batch: GraphBatch, order: Tensor, exclusive: Tensor) -> Posterior:
        """The posterior of the latent.

        Args:
            order: ``[C]`` label, 0 u first, 1 v first; exclusive: ``[C]`` label.
        """
        sign = 1.0 - 2.0 * order
        kind = exclusive.to(sign.dtype).repeat(2)
        label = torch.stack([torch.cat([sign, -sign]), kind], dim=1)
        neighbours = label.new_zeros(len(batch.edge) - len(label), LABEL_WIDTH)
        edge = torch.cat([batch.edge, torch.cat([neighbours, label])], dim=1)
        robot = self.encoder(batch, edge).robot
        pooled = torch.cat(pool(robot, batch.graph_of_robot, batch.num_graphs), dim=1)
        mean, log_std = self.posterior(pooled).chunk(2, dim=1)
        return Posterior(mean, log_std.clamp(LEAST_LOG_STD, MOST_LOG_STD))

    def share(self, batch: GraphBatch) -> State:
        """The part of the decoder that does not depend on the latent."""
        state: State = self.shared(batch, batch.edge)
        return state

    def decode(
        self, batch: GraphBatch, state: State, latent: Tensor, *, conflicts: bool = True
    ) -> Prediction:
        """Ranks and logits for K latents of every graph.

        Args:
            latent: ``[K, G, latent]``.
            conflicts: whether to read the conflicts as well, which costs most.
        """
        samples, robots, nodes = len(latent), len(batch.robot), len(batch.node)
        of_robot = self.robot_latent(latent)[:, batch.graph_of_robot]
        of_node = self.node_latent(latent)[:, batch.graph_of_robot[batch.robot_of]]
        wide = State((state.node + of_node).flatten(0, 1), (state.robot + of_robot).flatten(0, 1))
        copies = torch.arange(samples, device=latent.device)
        robot_of = (batch.robot_of + robots * copies[:, None]).flatten()
        edges = (batch.edges[:, None] + nodes * copies[:, None]).flatten(1)
        for layer in self.last:
            wide = layer(wide, robot_of, edges, batch.edge.repeat(samples, 1))
        node, robot = (
            wide.node.unflatten(0, (samples, nodes)),
            wide.robot.unflatten(0, (samples, robots)),
        )
        order, exclusive = self._conflicts(batch, node) if conflicts else (None, None)
        known = batch.robot.expand(samples, -1, -1)
        return Prediction(
            node_rank=self.node_head(node).squeeze(-1),
            robot_rank=self.robot_head(torch.cat([robot, known], dim=-1)).squeeze(-1),
            order=order,
            outlook=self.outlook_head(latent),
            exclusive=exclusive,
        )

    def _conflicts(self, batch: GraphBatch, node: Tensor) -> tuple[Tensor, Tensor]:
        """Each conflict is read from both sides: odd and even part are order and type.

        The first layer of the head is linear in (one side, other side, edge), so nodes and edges go
        through it once, and not once for every conflict and sample that they are part of.
        """
        first, _, last = self.conflict_head.children()
        weight, bias = first.get_parameter("weight"), first.get_parameter("bias")
        width, count = node.shape[-1], len(batch.conflict_u)
        of_one, of_other, of_edge = weight.split((width, width, EDGE_WIDTH), dim=1)
        one, other = node @ of_one.T, node @ of_other.T
        edge = batch.edge[len(batch.edge) - 2 * count :] @ of_edge.T + bias
        u, v = batch.conflict_u, batch.conflict_v
        of_u = last(nn.functional.gelu(one[:, u] + other[:, v] + edge[:count]))
        of_v = last(nn.functional.gelu(one[:, v] + other[:, u] + edge[count:]))
        return of_u[..., 0] - of_v[..., 0], of_u[..., 1] + of_v[..., 1]


class _Network(nn.Module):
    """From features to embeddings."""

    def __init__(self, options: ModelOptions, layers: int, edge_width: int) -> None:
        super().__init__()
        self.node = nn.Linear(NODE_WIDTH, options.width)
        self.robot = nn.Linear(ROBOT_WIDTH, options.width)
        self.layers = _layers(options, layers, edge_width)

    def forward(self, batch: GraphBatch, edge: Tensor) -> State:
        robot = self.robot(batch.robot)
        state = State(self.node(batch.node) + robot[batch.robot_of], robot)
        for layer in self.layers:
            state = layer(state, batch.robot_of, batch.edges, edge)
        return state


def _layers(options: ModelOptions, layers: int, edge_width: int) -> nn.ModuleList:
    return nn.ModuleList(Layer(options.width, options.heads, edge_width) for _ in range(layers))


def mlp(width_in: int, width: int, width_out: int) -> nn.Sequential:
    """One hidden layer."""
    return nn.Sequential(
        nn.Linear(width_in, width),
        nn.GELU(),
        nn.Linear(width, width_out),
    )


def pool(rows: Tensor, group: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """``[groups, .]`` mean and maximum of the rows of every group, 0 for one without rows."""
    counts = torch.bincount(group, minlength=groups).clamp(min=1)
    total = rows.new_zeros(groups, rows.shape[1]).index_add(0, group, rows)
    index = group[:, None].expand_as(rows)
    highest = rows.new_zeros(groups, rows.shape[1]).scatter_reduce(
        0, index, rows, "amax", include_self=False
    )
    return total / counts[:, None], highest
