"""A value head: a small network that reads a step's score, kept in a side file.

Two kinds of file are read. Our own is a GGUF of the architecture `reasoner-value-head`, with the
float tensors `head.0.weight` (out, in), `head.0.bias` (out,), `head.1.weight` … and the keys
below; it reads what `reasoner.value.doubts` tells of a step.

    reasoner.head.layers        how many linear layers
    reasoner.head.activation    relu, tanh or gelu, between them
    reasoner.head.aggregation   min, prod, last or mean
    reasoner.head.base_sha256   the model whose doubts it reads
    reasoner.head.scale, .bias  calibration: the score is σ(scale · logit + bias)
    reasoner.head.data, .seed   what it was trained on, in words, and the seed

Foreign heads read a hidden state. They come as safetensors (or GGUF) under the names their format
lists in models.toml, as `NAME.weight` and, where there is one, `NAME.bias`.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, FiniteFloat, ValidationError
from pydantic.dataclasses import dataclass

from reasoner.errors import BadModelFile
from reasoner.models.format import Aggregation, HeadShape
from reasoner.settings import explain
from reasoner.value.tensors import Facts, read_tensors

__all__ = ["ARCHITECTURE", "Head", "read_head", "write_head"]

Floats = npt.NDArray[np.float32]
Activation = Literal["relu", "tanh", "gelu"]

ARCHITECTURE = "reasoner-value-head"
MOST_LAYERS = 8
KEYS = "reasoner.head."


@dataclass(frozen=True, config=ConfigDict(arbitrary_types_allowed=True))
class Head:
    """Linear layers `(weight (out, in), bias (out,))` with an activation between them."""

    layers: tuple[tuple[Floats, Floats], ...]
    activation: Activation = "relu"
    scale: FiniteFloat = 1.0
    bias: FiniteFloat = 0.0
    aggregation: Aggregation | None = None
    base_sha256: str | None = None
    data: str = ""
    seed: int = 0

    @property
    def width(self) -> int:
        """How many numbers it reads for a step."""
        return int(self.layers[0][0].shape[1])

    def logits(self, inputs: Floats) -> Floats:
        """For inputs (n, width) the n uncalibrated log-odds that the step is right."""
        values = inputs.astype(np.float32)
        for index, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T + bias
            if index + 1 < len(self.layers):
                values = _activate(values, self.activation)
        one = values.shape[1] == 1
        return np.asarray(values[:, 0] if one else values[:, 1] - values[:, 0], np.float32)

    def scores(self, inputs: Floats) -> list[float]:
        """For inputs (n, width) n scores in [0, 1]."""
        odds = np.clip(self.scale * self.logits(inputs) + self.bias, -60, 60)
        return [float(score) for score in 1 / (1 + np.exp(-odds))]


def _activate(values: Floats, how: Activation) -> Floats:
    if how == "relu":
        return np.maximum(values, np.float32(0))
    if how == "tanh":
        return np.tanh(values)
    inner = 0.7978845608 * (values + 0.044715 * values**3)  # Hendrycks and Gimpel's approximation
    return np.asarray(0.5 * values * (1 + np.tanh(inner)), np.float32)


def read_head(path: Path, shape: HeadShape | None = None) -> Head:
    """Read a head: our own file as it describes itself, a foreign one as `shape` names it.

    Raises BadModelFile when it is neither, or its tensors do not make a network.
    """
    tensors, facts = read_tensors(path)
    if facts.get("general.architecture") == ARCHITECTURE:
        return _own(path, tensors, facts)
    if shape is None:
        raise BadModelFile(f"{path} is not a value head that reasoner wrote")
    return Head(_layers(path, tensors, shape.layers), activation=shape.activation)


def _own(path: Path, tensors: dict[str, Floats], facts: Facts) -> Head:
    told = {key.removeprefix(KEYS): value for key, value in facts.items() if key.startswith(KEYS)}
    count = told.pop("layers", None)
    if not isinstance(count, int) or not 1 <= count <= MOST_LAYERS:
        raise BadModelFile(f"{path} is not a usable value head: layers are {count!r}")
    layers = _layers(path, tensors, tuple(f"head.{index}" for index in range(count)))
    try:
        return Head(layers, **told)
    except ValidationError as error:
        raise BadModelFile(f"{path} is not a usable value head: {explain(error)}") from error


def _layers(
    path: Path, tensors: dict[str, Floats], names: tuple[str, ...]
) -> tuple[tuple[Floats, Floats], ...]:
    """The named layers, each checked to fit the one before it."""
    layers: list[tuple[Floats, Floats]] = []
    for name in names:
        weight = tensors.get(f"{name}.weight")
        if weight is None or weight.ndim != 2:
            raise BadModelFile(f"{path} has no matrix {name}.weight; it has {_few(tensors)}")
        bias = tensors.get(f"{name}.bias", np.zeros(weight.shape[0], np.float32))
        follows = not layers or layers[-1][0].shape[0] == weight.shape[1]
        if bias.shape != weight.shape[:1] or not follows:
            raise BadModelFile(f"{path}: the layer {name} does not fit the others")
        layers.append((weight, bias))
    if layers[-1][0].shape[0] not in (1, 2):
        raise BadModelFile(f"{path}: the head ends in {layers[-1][0].shape[0]} numbers, not 1 or 2")
    return tuple(layers)


def _few(tensors: dict[str, Floats]) -> str:
    return ", ".join(sorted(tensors)[:6]) or "no tensors that can be read"


def write_head(path: Path, head: Head) -> None:
    """Write our own kind of file, with weights as 16-bit floats."""
    import gguf

    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    writer.add_uint32("reasoner.head.layers", len(head.layers))
    writer.add_string("reasoner.head.activation", head.activation)
    writer.add_float32("reasoner.head.scale", head.scale)
    writer.add_float32("reasoner.head.bias", head.bias)
    writer.add_string("reasoner.head.data", head.data)
    writer.add_uint32("reasoner.head.seed", head.seed)
    if head.aggregation is not None:
        writer.add_string("reasoner.head.aggregation", head.aggregation)
    if head.base_sha256 is not None:
        writer.add_string("reasoner.head.base_sha256", head.base_sha256)
    for index, (weight, bias) in enumerate(head.layers):
        writer.add_tensor(f"head.{index}.weight", weight.astype(np.float16))
        writer.add_tensor(f"head.{index}.bias", bias.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
