"""Models split over several files, named `NAME-00001-of-00003.gguf` as llama.cpp does.

Nothing here opens a file: which parts there are follows from the name of any of them.
"""

import re
from pathlib import Path

__all__ = ["existing_parts", "first_part", "missing_parts", "model_size", "part_names"]

PART_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE | re.DOTALL)
MAX_PARTS = 4096


def part_names(file: str) -> tuple[str, ...]:
    """Return the names of all parts of the model that `file` is a part of, in order; only `file`
    itself where it is not named like a part. `file` may be a path."""
    match = PART_NAME.fullmatch(file)
    if match is None:
        return (file,)
    prefix, number, count, suffix = match[1], int(match[2]), int(match[3]), match[4]
    if not 1 <= number <= count <= MAX_PARTS:
        return (file,)
    return tuple(f"{prefix}-{part:05}-of-{count:05}{suffix}" for part in range(1, count + 1))


def first_part(path: Path) -> Path:
    """Return the part that stands for the whole model: the first, if it exists, else `path`."""
    first = path.with_name(part_names(path.name)[0])
    return first if first.is_file() else path


def existing_parts(path: Path) -> tuple[Path, ...]:
    """Return the paths of the model's parts that exist, in order; at least `path` itself."""
    parts = tuple(part for part in _part_paths(path) if part.is_file())
    return parts if path in parts else (path,)


def missing_parts(path: Path) -> tuple[Path, ...]:
    """Return the paths of the model's parts that do not exist, in order."""
    return tuple(part for part in _part_paths(path) if not part.is_file())


def model_size(path: Path) -> int:
    """Return the size of all the model's parts in bytes. Raises OSError when one is unreadable."""
    return sum(part.stat().st_size for part in existing_parts(path))


def _part_paths(path: Path) -> list[Path]:
    return [path.with_name(name) for name in part_names(path.name)]
