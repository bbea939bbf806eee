# SPDX-License-Identifier: Apache-2.0
"""From what an environment shows to the features of a policy."""

import math

import torch
from torch import nn

from agents.policies.options import GridEncoding
from quantum.initialise import linear, normal, uniform
from sim.environments.interface import Interface, ObservationKind

EMBEDDING = 3
"""Numbers per cell of a grid: as many as its channels, so that both encodings are equally wide."""
IMAGE_FEATURES = 64


class VectorEncoder(nn.Module):
    """Takes the numbers as they are, ``[..., n]``."""

    def __init__(self, interface: Interface) -> None:
        super().__init__()
        self.features = math.prod(interface.shape)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Float features ``[..., n]``."""
        return observations.float()


class RawGridEncoder(nn.Module):
    """The integers of a grid ``[..., rows, columns, channels]`` in a row, not scaled.

    As in the public code around arXiv 2402.17760.
    """

    def __init__(self, interface: Interface) -> None:
        super().__init__()
        self.features = math.prod(interface.shape)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Float features ``[..., rows * columns * channels]``."""
        return observations.flatten(-3).float()


class GridEncoder(nn.Module):
    """Cells ``[..., rows, columns, channels]`` of categories, each as the sum of what its channels
    mean: a table says it, of the first channel's categories, then the second's; the same for all
    cells.

    A cell is one look-up in the table of all combinations, which is made from those of the
    channels at every call: it is small.
    """

    def __init__(self, interface: Interface, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns, _ = interface.shape
        self.features = rows * columns * EMBEDDING
        std = len(interface.categories) ** -0.5
        self.categories = interface.categories
        self.table = normal((sum(self.categories), EMBEDDING), std, generator)
        strides = [math.prod(self.categories[i + 1 :]) for i in range(len(self.categories))]
        self.register_buffer("strides", torch.tensor(strides, dtype=torch.float32), False)
        self.strides: torch.Tensor

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Features ``[..., rows * columns * EMBEDDING]``."""
        combinations, *others = self.table.split(self.categories)
        for channel in others:
            combinations = (combinations.unsqueeze(-2) + channel).flatten(0, -2)
        index = (observations.float() @ self.strides).long()
        # Not an embedding: its gradient takes five times as long.
        cells: torch.Tensor = combinations.index_select(0, index.flatten())
        return cells.reshape(*observations.shape[:-3], self.features)


class ImageEncoder(nn.Module):
    """Pixels ``[..., rows, columns, channels]``, bytes, through two convolutions and pooling."""

    def __init__(self, interface: Interface, generator: torch.Generator) -> None:
        super().__init__()
        channels = interface.shape[-1]
        self.features = IMAGE_FEATURES
        self.first = uniform(nn.Conv2d, (channels * 9) ** -0.5, generator, channels, 8, 3, 2)
        self.second = uniform(nn.Conv2d, (8 * 9) ** -0.5, generator, 8, 16, 3, 2)
        self.third = linear(16 * 9, IMAGE_FEATURES, generator)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Features ``[..., IMAGE_FEATURES]``."""
        leading = observations.shape[:-3]
        pixels = observations.flatten(0, -4).movedim(-1, 1).float() / 255
        seen = self.second(self.first(pixels).relu()).relu()
        pooled = nn.functional.adaptive_avg_pool2d(seen, 3).flatten(1)
        features: torch.Tensor = self.third(pooled).relu()
        return features.reshape(*leading, IMAGE_FEATURES)


Encoder = VectorEncoder | RawGridEncoder | GridEncoder | ImageEncoder


def make_encoder(
    interface: Interface, grid_encoding: GridEncoding, generator: torch.Generator
) -> Encoder:
    """The encoder that an environment needs."""
    match interface.kind:
        case ObservationKind.VECTOR:
            return VectorEncoder(interface)
        case ObservationKind.GRID if grid_encoding == "raw":
            return RawGridEncoder(interface)
        case ObservationKind.GRID:
            return GridEncoder(interface, generator)
        case ObservationKind.IMAGE:
            return ImageEncoder(interface, generator)
