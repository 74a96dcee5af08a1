"""Files of JSON Lines, as the measurements read them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["JsonRow", "read_json_lines"]

JsonRow = dict[str, Any]


def read_json_lines(path: Path, limit: int | None = None) -> list[JsonRow]:
    """Return the objects of the first `limit` lines of a file, without the empty lines.

    Lines end at line feeds only: a JSON string may hold other line separators as they are. Raises
    SystemExit with one line when the file cannot be read.
    """
    try:
        lines: Iterable[str] = path.read_text("utf-8").split("\n")[:limit]
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from error
    return [json.loads(line) for line in lines if line.strip()]
