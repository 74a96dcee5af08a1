"""Float tensors from small GGUF and safetensors files, as numpy arrays.

Files are untrusted: every length is checked against the size of the file before it is used.
"""

import json
from math import prod
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from reasoner.errors import BadModelFile
from reasoner.models.gguf import read_gguf

__all__ = ["FileMetadata", "read_float_tensors"]

Floats = npt.NDArray[np.float32]
FileMetadata = dict[str, Any]
"""Metadata by key."""

GGUF_KINDS = {0: "F32", 1: "F16", 30: "BF16"}
DTYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
MAX_TENSOR_BYTES = 1 << 28
MAX_HEADER_BYTES = 1 << 24
MAX_DIMENSIONS = 8


class _TensorEntry(BaseModel):
    """A tensor in the header of a safetensors file."""

    dtype: str
    shape: Annotated[tuple[NonNegativeInt, ...], Field(max_length=MAX_DIMENSIONS)]
    data_offsets: tuple[NonNegativeInt, NonNegativeInt]


def read_float_tensors(path: Path) -> tuple[dict[str, Floats], FileMetadata]:
    """Every float tensor of the file by name, and the file's metadata.

    Quantised tensors and those over 256 MB are left out: value heads have none. Raises BadModelFile
    when the file cannot be read, is damaged or holds numbers that are not finite.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        return _from_gguf(path) if magic == b"GGUF" else _from_safetensors(path)
    except OSError as error:
        raise BadModelFile(f"cannot read {path}: {error.strerror or error}") from error


def _from_gguf(path: Path) -> tuple[dict[str, Floats], FileMetadata]:
    gguf = read_gguf(path)
    tensors: dict[str, Floats] = {}
    for tensor in gguf.tensors:
        kind = GGUF_KINDS.get(tensor.kind)
        if kind is not None:
            shape = tuple(reversed(tensor.shape))
            tensors |= _array(path, tensor.name, kind, shape, gguf.data_start + tensor.offset)
    return tensors, gguf.values


def _from_safetensors(path: Path) -> tuple[dict[str, Floats], FileMetadata]:
    """Read eight bytes of header length, a JSON header, and the data that it describes."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise BadModelFile(f"{path} is neither a GGUF nor a safetensors file")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError) as error:
            raise BadModelFile(f"{path} has a broken safetensors header") from error
    tensors: dict[str, Floats] = {}
    for name, entry in header.items() if isinstance(header, dict) else ():
        if name == "__metadata__":
            continue
        try:
            tensor = _TensorEntry.model_validate(entry)
        except ValidationError as error:
            raise BadModelFile(f"{path} has a broken safetensors header at {name!r}") from error
        kind, shape, (begin, end) = tensor.dtype, tensor.shape, tensor.data_offsets
        if kind in DTYPES:
            if end - begin != prod(shape) * _item_bytes(kind):
                raise BadModelFile(f"{path}: the tensor {name!r} does not fill its place")
            tensors |= _array(path, name, kind, shape, 8 + length + begin)
    return tensors, {}


def _array(
    path: Path, name: str, kind: str, shape: tuple[int, ...], offset: int
) -> dict[str, Floats]:
    """The tensor as 32-bit floats under its name; empty when it is too large for a head."""
    count = prod(shape)
    if count * _item_bytes(kind) > MAX_TENSOR_BYTES:
        return {}
    if offset + count * _item_bytes(kind) > path.stat().st_size:
        raise BadModelFile(f"{path} is truncated: the tensor {name!r} ends behind it")
    data = np.fromfile(path, dtype=DTYPES[kind], count=count, offset=offset)
    if kind == "BF16":
        values = (data.astype(np.uint32) << 16).view(np.float32)
    else:
        values = data.astype(np.float32)
    if not np.isfinite(values).all():
        raise BadModelFile(f"{path}: the tensor {name!r} holds numbers that are not finite")
    return {name: values.reshape(shape)}


def _item_bytes(kind: str) -> int:
    return np.dtype(DTYPES[kind]).itemsize
