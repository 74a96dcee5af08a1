"""A small network trained with numpy: logistic regression, or one hidden layer before it.

Inputs are standardised and turned onto their main directions first; both are folded into the
first layer in the end, so what is stored reads inputs as they are.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Basis", "Layers", "Shape", "find_basis", "folded", "logits", "train"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Layers = list[tuple[Floats, Floats]]

DECAY = (0.9, 0.999)
"""Adam's (Kingma and Ba 2015)."""


FLAT = 1e-2
"""Directions with less than this part of the first one's spread are left out: to whiten them would
make weights that 16 bits do not hold."""


class Basis(NamedTuple):
    """`(x - mean) @ turn.T` are the inputs of the network."""

    mean: Floats
    turn: Floats

    def __call__(self, features: Floats) -> Floats:
        return np.asarray((features - self.mean) @ self.turn.T, np.float32)


class Shape(NamedTuple):
    """How a network is trained: `hidden` units (0: none), weight decay, learning rate."""

    hidden: int = 0
    decay: float = 1e-3
    rate: float = 3e-3


def find_basis(features: Floats, size: int, whiten: float, seed: int) -> Basis:
    """The `size` main directions of standardised rows, by random projection (Halko et al.
    2011). `whiten` 1 gives all the same spread, 0 leaves them theirs."""
    random = np.random.default_rng(seed)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    inputs = (features - mean) / scale
    size = min(size, *inputs.shape)
    sketch = inputs @ random.standard_normal((inputs.shape[1], min(size + 16, inputs.shape[1])))
    for _ in range(3):
        sketch = inputs @ (inputs.T @ np.linalg.qr(sketch)[0])
    _, spread, directions = np.linalg.svd(np.linalg.qr(sketch)[0].T @ inputs, full_matrices=False)
    size = min(size, int((spread > FLAT * spread[0]).sum()))
    spread = spread[:size] / np.sqrt(len(inputs))
    turn = directions[:size] / (spread**whiten * spread[0] ** (1 - whiten))[:, None] / scale
    return Basis(mean.astype(np.float32), turn.astype(np.float32))


def train(
    inputs: Floats, right: Doubles, weights: Doubles, shape: Shape, seed: int
) -> Iterator[Layers]:
    """Layers after each step of full-batch Adam on the weighted cross-entropy; stop when you
    like. The same arguments give the same layers."""
    layers = _fresh(inputs.shape[1], shape.hidden, seed)
    moments = [(np.zeros_like(part), np.zeros_like(part)) for layer in layers for part in layer]
    share = (weights / weights.sum()).astype(np.float32)
    step = 0
    while True:
        step += 1
        slopes = _slopes(layers, inputs, right, share)
        flat = [part for layer in layers for part in layer]
        for part, slope, (first, second) in zip(flat, slopes, moments, strict=True):
            first += (1 - DECAY[0]) * (slope - first)
            second += (1 - DECAY[1]) * (slope * slope - second)
            ahead = first / (1 - DECAY[0] ** step)
            part -= shape.rate * ahead / (np.sqrt(second / (1 - DECAY[1] ** step)) + 1e-8)
            if part.ndim == 2:
                part *= 1 - shape.rate * shape.decay
        yield layers


def logits(layers: Layers, inputs: Floats) -> Floats:
    """Log-odds that each is right."""
    for index, (weight, bias) in enumerate(layers):
        inputs = inputs @ weight.T + bias
        if index + 1 < len(layers):
            inputs = np.tanh(inputs)
    return inputs[:, 0]


def folded(layers: Layers, basis: Basis) -> tuple[tuple[Floats, Floats], ...]:
    """The layers as they read rows without the basis."""
    (weight, bias), *others = layers
    turned = weight @ basis.turn
    return ((turned, np.asarray(bias - turned @ basis.mean, np.float32)), *others)


def _fresh(width: int, hidden: int, seed: int) -> Layers:
    random = np.random.default_rng(seed)
    if not hidden:
        return [(np.zeros((1, width), np.float32), np.zeros(1, np.float32))]
    first = random.standard_normal((hidden, width), dtype=np.float32) / np.sqrt(width)
    second = random.standard_normal((1, hidden), dtype=np.float32) / np.sqrt(hidden)
    return [
        (first.astype(np.float32), np.zeros(hidden, np.float32)),
        (second.astype(np.float32), np.zeros(1, np.float32)),
    ]


def _slopes(layers: Layers, inputs: Floats, right: Doubles, share: Floats) -> list[Floats]:
    """The loss's slope for each weight and bias, in order."""
    inner = [inputs]
    for weight, bias in layers[:-1]:
        inner.append(np.tanh(inner[-1] @ weight.T + bias))
    weight, bias = layers[-1]
    chances = 1 / (1 + np.exp(-np.clip(inner[-1] @ weight.T + bias, -30, 30)))
    back = (chances[:, 0] - right)[:, None] * share[:, None]
    found: list[Floats] = []
    for index in range(len(layers) - 1, -1, -1):
        found = [back.T @ inner[index], back.sum(axis=0), *found]
        if index:
            back = (back @ layers[index][0]) * (1 - inner[index] ** 2)
    return [slope.astype(np.float32) for slope in found]
