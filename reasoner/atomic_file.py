"""Files that are replaced in one step, so that no reader ever sees half of one.

New contents are written to a draft beside the file, which then takes the file's place by a rename.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["draft_path", "replace_file", "replacing", "write_atomically"]


def draft_path(path: Path) -> Path:
    """A hidden file beside `path` for its new contents; no other process uses the same name."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def replace_file(draft: Path, path: Path, *, durable: bool = False) -> None:
    """Move `draft` to `path`, both on one file system. With `durable` the draft's bytes reach the
    disk first, so that a power cut cannot leave an empty file. Raises OSError."""
    if durable:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def replacing(path: Path, *, draft: Path | None = None) -> Iterator[Path]:
    """Yield the path of a draft to write to, and move it to `path` when the block ends without an
    error; otherwise delete it. `draft` replaces the usual path beside the file. Raises OSError."""
    draft = draft or draft_path(path)
    try:
        yield draft
        replace_file(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, contents: str, *, draft: Path | None = None) -> None:
    """Replace the file's text (UTF-8) in one step; `draft` as in `replacing`. Raises OSError."""
    with replacing(path, draft=draft) as new:
        new.write_text(contents, "utf-8")
