"""Splits a GGUF file into parts, as llama.cpp's own tool does."""

import struct
from collections.abc import Sequence
from pathlib import Path

from reasoner.models.gguf import TensorInfo, read_gguf

__all__ = ["split_gguf"]

ALIGNMENT = 32


def split_gguf(path: Path, folder: Path, cuts: Sequence[int], name: str = "") -> list[Path]:
    """Write the parts into `folder` and return their paths. `cuts` are the indices of the tensors
    that a new part begins with; a cut of 0 leaves the first part without tensors."""
    import gguf

    data, header = path.read_bytes(), read_gguf(path)
    reader = gguf.GGUFReader(path)
    metadata = data[24 : int(reader.tensors[0].field.offset)]
    keys = struct.unpack_from("<Q", data, 16)[0]
    ends = [*cuts, len(header.tensors)]
    groups = [header.tensors[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)]
    parts = []
    for index, group in enumerate(groups):
        part = folder / f"{name or path.stem}-{index + 1:05}-of-{len(groups):05}.gguf"
        split = _split_keys(index, len(groups), len(header.tensors))
        count, body = (keys + 3, metadata + split) if index == 0 else (3, split)
        blobs = [_tensor_data(data, header.data_start, tensor) for tensor in group]
        start = b"GGUF" + struct.pack("<IQQ", 3, len(group), count) + body
        part.write_bytes(_padded(start + _table(group, blobs)) + b"".join(map(_padded, blobs)))
        parts.append(part)
    return parts


def _split_keys(index: int, count: int, tensors: int) -> bytes:
    return b"".join(
        struct.pack("<Q", len(key)) + key + struct.pack("<I", kind) + struct.pack(layout, value)
        for key, kind, layout, value in (
            (b"split.no", 2, "<H", index),
            (b"split.count", 2, "<H", count),
            (b"split.tensors.count", 5, "<i", tensors),
        )
    )


def _tensor_data(data: bytes, start: int, tensor: TensorInfo) -> bytes:
    width = {0: 4, 1: 2}[tensor.kind]
    begin = start + tensor.offset
    return data[begin : begin + tensor.elements * width]


def _table(tensors: Sequence[TensorInfo], blobs: Sequence[bytes]) -> bytes:
    table, offset = b"", 0
    for tensor, blob in zip(tensors, blobs, strict=True):
        name = tensor.name.encode()
        table += struct.pack("<Q", len(name)) + name + struct.pack("<I", len(tensor.shape))
        table += struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape)
        table += struct.pack("<IQ", tensor.kind, offset)
        offset += len(_padded(blob))
    return table


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
