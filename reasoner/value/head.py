"""Value heads: small networks that compute a step's score, stored in files of their own.

Two kinds of file are supported. The project's own is a GGUF file of the architecture
`reasoner-value-head` with the float tensors `head.0.weight` (out, in), `head.0.bias` (out,),
`head.1.weight` … and the keys below; its inputs are the features of `reasoner.value.step_features`.

    reasoner.head.layers        number of linear layers
    reasoner.head.activation    relu, tanh or gelu, between the layers
    reasoner.head.aggregation   min, prod, last or mean
    reasoner.head.base_sha256   the model whose token statistics it reads
    reasoner.head.scale, .bias  calibration: the score is σ(scale · logit + bias)
    reasoner.head.data, .seed   description of the training data, and the seed

Heads of other projects read a hidden state. They are safetensors (or GGUF) files whose tensors have
the names that their format lists in models.toml: `NAME.weight` and, optionally, `NAME.bias`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, FiniteFloat, ValidationError
from pydantic.dataclasses import dataclass

from reasoner.errors import BadModelFile
from reasoner.models.format import Aggregation, HeadShape
from reasoner.settings import explain
from reasoner.value.tensors import FileMetadata, read_float_tensors

if TYPE_CHECKING:
    from gguf import GGUFWriter

__all__ = ["HEAD_ARCHITECTURE", "ValueHead", "read_value_head", "write_value_head"]

Floats = npt.NDArray[np.float32]
Activation = Literal["relu", "tanh", "gelu"]

HEAD_ARCHITECTURE = "reasoner-value-head"
MAX_LAYERS = 8
KEY_PREFIX = "reasoner.head."


@dataclass(frozen=True, config=ConfigDict(arbitrary_types_allowed=True))
class ValueHead:
    """Linear layers `(weight (out, in), bias (out,))` with an activation between them.

    A score is σ(scale · logit + bias). `aggregation`, where given, replaces the format's own.
    `base_sha256` is the checksum of the model for which the head was trained. `data` and `seed`
    describe its training.
    """

    layers: tuple[tuple[Floats, Floats], ...]
    activation: Activation = "relu"
    scale: FiniteFloat = 1.0
    bias: FiniteFloat = 0.0
    aggregation: Aggregation | None = None
    base_sha256: str | None = None
    data: str = ""
    seed: int = 0

    @property
    def input_size(self) -> int:
        """The number of inputs for a step."""
        return int(self.layers[0][0].shape[1])

    def logits(self, inputs: Floats) -> Floats:
        """The uncalibrated log-odds (n,) that the steps are right, from inputs (n, width)."""
        values = inputs.astype(np.float32)
        for index, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T + bias
            if index + 1 < len(self.layers):
                values = _activate(values, self.activation)
        single_output = values.shape[1] == 1
        logits = values[:, 0] if single_output else values[:, 1] - values[:, 0]
        return np.asarray(logits, np.float32)

    def scores(self, inputs: Floats) -> list[float]:
        """The scores of n steps, in [0, 1], from inputs (n, width)."""
        odds = np.clip(self.scale * self.logits(inputs) + self.bias, -60, 60)
        return [float(score) for score in 1 / (1 + np.exp(-odds))]


def _activate(values: Floats, activation: Activation) -> Floats:
    if activation == "relu":
        return np.maximum(values, np.float32(0))
    if activation == "tanh":
        return np.tanh(values)
    inner = 0.7978845608 * (values + 0.044715 * values**3)  # Hendrycks and Gimpel's approximation
    return np.asarray(0.5 * values * (1 + np.tanh(inner)), np.float32)


def read_value_head(path: Path, shape: HeadShape | None = None) -> ValueHead:
    """Read a value head: the project's own file by its metadata, another one by `shape`.

    Raises BadModelFile when the file is neither, or its tensors do not form a network.
    """
    tensors, metadata = read_float_tensors(path)
    if metadata.get("general.architecture") == HEAD_ARCHITECTURE:
        return _own_head(path, tensors, metadata)
    if shape is None:
        raise BadModelFile(f"{path} is not a value head that reasoner wrote")
    return ValueHead(_layers(path, tensors, shape.layers), activation=shape.activation)


def _own_head(path: Path, tensors: dict[str, Floats], metadata: FileMetadata) -> ValueHead:
    fields = {
        key.removeprefix(KEY_PREFIX): value
        for key, value in metadata.items()
        if key.startswith(KEY_PREFIX)
    }
    count = fields.pop("layers", None)
    if not isinstance(count, int) or not 1 <= count <= MAX_LAYERS:
        raise BadModelFile(f"{path} is not a usable value head: layers are {count!r}")
    layers = _layers(path, tensors, tuple(f"head.{index}" for index in range(count)))
    try:
        return ValueHead(layers, **fields)
    except ValidationError as error:
        raise BadModelFile(f"{path} is not a usable value head: {explain(error)}") from error


def _layers(
    path: Path, tensors: dict[str, Floats], names: tuple[str, ...]
) -> tuple[tuple[Floats, Floats], ...]:
    """The named layers; raises BadModelFile where one does not fit the layer before it."""
    layers: list[tuple[Floats, Floats]] = []
    for name in names:
        weight = tensors.get(f"{name}.weight")
        if weight is None or weight.ndim != 2:
            raise BadModelFile(f"{path} has no matrix {name}.weight; it has {_some_names(tensors)}")
        bias = tensors.get(f"{name}.bias", np.zeros(weight.shape[0], np.float32))
        fits = not layers or layers[-1][0].shape[0] == weight.shape[1]
        if bias.shape != weight.shape[:1] or not fits:
            raise BadModelFile(f"{path}: the layer {name} does not fit the others")
        layers.append((weight, bias))
    if layers[-1][0].shape[0] not in (1, 2):
        raise BadModelFile(f"{path}: the head ends in {layers[-1][0].shape[0]} numbers, not 1 or 2")
    return tuple(layers)


def _some_names(tensors: dict[str, Floats]) -> str:
    return ", ".join(sorted(tensors)[:6]) or "no tensors that can be read"


def write_value_head(path: Path, head: ValueHead) -> None:
    """Write a value head in the project's own format, with weights as 16-bit floats."""
    import gguf

    writer = gguf.GGUFWriter(path, HEAD_ARCHITECTURE)
    _add_metadata(writer, head)
    for index, (weight, bias) in enumerate(head.layers):
        writer.add_tensor(f"head.{index}.weight", weight.astype(np.float16))
        writer.add_tensor(f"head.{index}.bias", bias.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_metadata(writer: "GGUFWriter", head: ValueHead) -> None:
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
