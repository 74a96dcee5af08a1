"""A reader of the GGUF container format, versions 2 and 3, little-endian, without llama.cpp.

Files are untrusted input: every length is checked before it is used. What the metadata's keys mean
is left to `metadata`.
"""

import mmap
import re
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasoner.errors import BadModelFile

__all__ = ["GgufHeader", "TensorInfo", "check_gguf", "read_gguf"]

SCALAR_LAYOUTS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"} | {
    10: "<Q",
    11: "<q",
    12: "<d",
}
STRING_TYPE, ARRAY_TYPE = 8, 9
TENSOR_BLOCKS = {  # tensor type: (elements per block, bytes per block), as in ggml.c
    **{0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 41: (128, 18)},
    **{14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98)},
    **{19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136)},
    **{24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56)},
    **{30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36)},
}
SPECIAL_TOKEN_KEY = re.compile(r"tokenizer\.ggml\.(\w{1,32})_token_id")
FOREIGN_MAGIC = {
    b"version https://git-lfs": "a Git LFS pointer to a file; fetch the file itself",
    b"<!DOCTYPE html": "a web page; fetch the file itself",
    b"<html": "a web page; fetch the file itself",
    b"PK\x03\x04": "a zip archive or a PyTorch checkpoint; convert it to GGUF",
    b"\x80\x02": "a Python pickle; convert the model to GGUF",
    b"tjgg": "of a format before GGUF; convert the model again",
    b"lmgg": "of a format before GGUF; convert the model again",
}
"""The first bytes of files that are taken for a GGUF, and what to say of such a file."""
MAX_MAGIC_BYTES = 32
MAX_KEYS, MAX_TENSORS, MAX_KEY_BYTES, MAX_TEXT_BYTES = 10_000, 200_000, 65_535, 1 << 24
MAX_DIMS, MAX_ELEMENTS = 4, 1 << 50


@dataclass(frozen=True)
class TensorInfo:
    """An entry of the tensor table. `kind` is ggml's tensor type; `offset` counts in bytes from the
    start of the tensors' data."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def elements(self) -> int:
        """The number of elements."""
        count = 1
        for dim in self.shape:
            count *= dim
        return count

    @property
    def size(self) -> int:
        """The size in bytes; 0 for a type that is not known."""
        width, block_bytes = TENSOR_BLOCKS.get(self.kind, (1, 0))
        return self.elements // width * block_bytes


@dataclass
class GgufHeader:
    """The metadata and the tensor table of a file.

    `values` holds scalars and strings, `array_lengths` the length of each array, `token_ids` the
    ids of those requested tokens that the vocabulary has, `special_tokens` the text of the tokens
    that keys such as `tokenizer.ggml.eos_token_id` refer to (under `eos`). The tensors' data starts
    at byte `start`.
    """

    version: int = 0
    data_start: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    array_lengths: dict[str, int] = field(default_factory=dict)
    token_ids: dict[str, int] = field(default_factory=dict)
    special_tokens: dict[str, str] = field(default_factory=dict)
    tensors: list[TensorInfo] = field(default_factory=list)


def check_gguf(path: Path) -> None:
    """Check that a file is a complete GGUF that names an architecture. Raises BadModelFile when it
    is not."""
    read_gguf(path)


def read_gguf(path: Path, tokens: Collection[str] = ()) -> GgufHeader:
    """Read header, metadata and tensor table, and look up the `wanted` tokens in the vocabulary.

    Raises BadModelFile, with one line of text, for anything but a complete, consistent GGUF.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size < 24:
                raise BadModelFile(f"{path} is not a GGUF file: it is too short")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Reader(path, data, frozenset(tokens)).read()
    except IsADirectoryError as error:
        raise BadModelFile(f"{path} is a directory, not a GGUF file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadModelFile(f"cannot read {path}: {reason}") from error


class _Reader:
    """Reads one memory-mapped file from front to back; `at` is the position in bytes."""

    def __init__(self, path: Path, data: mmap.mmap, wanted: frozenset[str]) -> None:
        self.path, self.data, self.at, self.end = path, data, 0, len(data)
        self.wanted = {token.encode(): token for token in wanted}
        self.gguf = GgufHeader()
        self.tokens_at: int | None = None

    def read(self) -> GgufHeader:
        tensors, keys = self.read_header()
        for _ in range(keys):
            self.read_pair()
        if not (
            isinstance(self.gguf.values.get("general.architecture"), str) or self.is_archless()
        ):
            raise self.unusable("it names no architecture")
        tensor_names = set()
        for _ in range(tensors):
            tensor = self.read_tensor()
            tensor_names.add(tensor.name)
            self.gguf.tensors.append(tensor)
        if len(tensor_names) != tensors:
            raise self.unusable("two tensors have the same name")
        self.check_extent()
        if self.wanted:
            self.look_up_tokens()
        return self.gguf

    def read_header(self) -> tuple[int, int]:
        if self.data[:4] != b"GGUF":
            raise BadModelFile(f"{self.path} is not a GGUF file{self.foreign_kind()}")
        self.at = 4
        version, tensors, keys = (
            self.read_number("<I"),
            self.read_number("<Q"),
            self.read_number("<Q"),
        )
        if version & 0xFFFF == 0:
            raise self.unusable(
                "it is byte-swapped (big-endian); convert it with gguf-convert-endian"
            )
        if version not in (2, 3):
            raise self.unusable(f"its format version is {version}, supported are 2 and 3")
        if keys > MAX_KEYS or tensors > MAX_TENSORS:
            raise self.unusable(f"it claims {keys} keys and {tensors} tensors")
        self.gguf.version = version
        return tensors, keys

    def foreign_kind(self) -> str:
        start = self.data[:MAX_MAGIC_BYTES]
        kinds = [kind for magic, kind in FOREIGN_MAGIC.items() if start.startswith(magic)]
        if start[8:9] == b"{":
            kinds = ["a safetensors file; convert the model to GGUF"]
        return "".join(f", but {kind}" for kind in kinds)

    def is_archless(self) -> bool:
        """Later parts of a split model and importance matrices name no architecture."""
        values = self.gguf.values
        return "split.count" in values or values.get("general.type") == "imatrix"

    def read_pair(self) -> None:
        key = self.read_text(MAX_KEY_BYTES)
        if key in self.gguf.values or key in self.gguf.array_lengths:
            raise self.unusable(f"key '{key[:64]}' appears twice")
        kind = self.read_number("<I")
        if kind == ARRAY_TYPE:
            self.read_array(key)
        elif kind == STRING_TYPE:
            self.gguf.values[key] = self.read_text(MAX_TEXT_BYTES)
        else:
            self.gguf.values[key] = self.read_number(self.scalar_layout(kind))

    def read_array(self, key: str) -> None:
        kind, count = self.read_number("<I"), self.read_number("<Q")
        self.gguf.array_lengths[key] = count
        if kind == STRING_TYPE:
            if key == "tokenizer.ggml.tokens":
                self.tokens_at = self.at
            self.skip_strings(count)
        elif kind == ARRAY_TYPE:
            raise self.unusable(f"'{key[:64]}' is an array of arrays")
        else:
            self.skip(count * struct.calcsize(self.scalar_layout(kind)))

    def skip_strings(self, count: int) -> None:
        """Skip `count` strings. A tight loop, since a vocabulary has 150,000 of them."""
        if count * 8 > self.end - self.at:
            raise self.truncated()
        data, at, end, unpack = self.data, self.at, self.end - 8, struct.Struct("<Q").unpack_from
        for _ in range(count):
            if at > end:
                raise self.truncated()
            at += 8 + unpack(data, at)[0]
        self.at = at
        self.skip(0)

    def look_up_tokens(self) -> None:
        """Compare each token's text with the requested ones. This runs after all keys were read,
        because the special tokens' ids may follow the list of tokens."""
        if self.tokens_at is None:
            return
        ids: dict[int, list[str]] = {}
        for key, value in self.gguf.values.items():
            if (match := SPECIAL_TOKEN_KEY.fullmatch(key)) and isinstance(value, int):
                ids.setdefault(value, []).append(match[1])
        data, at, unpack = self.data, self.tokens_at, struct.Struct("<Q").unpack_from
        for index in range(self.gguf.array_lengths["tokenizer.ggml.tokens"]):
            size = unpack(data, at)[0]
            at += 8 + size
            text = data[at - min(size, 256) : at]
            if text in self.wanted:
                self.gguf.token_ids.setdefault(self.wanted[text], index)
            for name in ids.get(index, ()):
                self.gguf.special_tokens[name] = text.decode(errors="replace")

    def read_tensor(self) -> TensorInfo:
        name, dims = self.read_text(MAX_KEY_BYTES), self.read_number("<I")
        if not 0 < dims <= MAX_DIMS:
            raise self.unusable(f"tensor '{name[:64]}' has {dims} dimensions")
        shape = tuple(self.read_number("<Q") for _ in range(dims))
        tensor = TensorInfo(name, shape, self.read_number("<I"), self.read_number("<Q"))
        if 0 in shape or tensor.elements > MAX_ELEMENTS:
            raise self.unusable(f"tensor '{name[:64]}' has the impossible shape {shape}")
        return tensor

    def check_extent(self) -> None:
        """Check that every tensor ends inside the file, which a truncated download violates."""
        align = self.gguf.values.get("general.alignment", 32)
        if not isinstance(align, int) or align <= 0 or align & (align - 1) or align > 1 << 20:
            raise self.unusable(f"its alignment is {align}")
        start = self.gguf.data_start = -(-self.at // align) * align
        for tensor in self.gguf.tensors:
            width, _ = TENSOR_BLOCKS.get(tensor.kind, (1, 0))
            if tensor.offset % align:
                raise self.unusable(f"tensor '{tensor.name[:64]}' is not aligned")
            if tensor.shape[0] % width:
                raise self.unusable(f"tensor '{tensor.name[:64]}' does not fill its blocks")
            if start + tensor.offset + tensor.size > self.end:
                raise self.truncated()

    def scalar_layout(self, kind: int) -> str:
        if kind not in SCALAR_LAYOUTS:
            raise self.unusable(f"it has a value of unknown type {kind}")
        return SCALAR_LAYOUTS[kind]

    def read_number(self, layout: str) -> Any:
        at = self.at
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, at)[0]

    def read_text(self, limit: int) -> str:
        size = self.read_number("<Q")
        if size > limit and size <= self.end - self.at:
            raise self.unusable(f"it has a string of {size} bytes")
        self.skip(size)
        return self.data[self.at - size : self.at].decode(errors="replace")

    def skip(self, size: int) -> None:
        self.at += size
        if self.at > self.end:
            raise self.truncated()

    def unusable(self, reason: str) -> BadModelFile:
        return BadModelFile(f"{self.path} is not a usable GGUF: {reason}")

    def truncated(self) -> BadModelFile:
        return BadModelFile(
            f"{self.path} is truncated or damaged: it is shorter than its own table says; "
            "fetch it again"
        )
