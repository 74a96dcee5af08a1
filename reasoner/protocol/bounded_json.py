"""JSON as models write it: bounded in size and depth, with the usual slips mended."""

import json
import re
from collections.abc import Iterator

__all__ = ["decode_json", "repair_json"]

MAX_JSON_CHARS = 40_000
MAX_JSON_DEPTH = 32
STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
BRACKETS = {"{": 1, "[": 1, "}": -1, "]": -1}
INVALID_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|)')
DECODER = json.JSONDecoder(strict=False)
"""Not strict, because models write line breaks into strings."""


def decode_json(text: str) -> tuple[object, int] | None:
    """Return the JSON value with which `text` begins and the index of its end, or None where there
    is no such value or it is too large or too deep."""
    if len(text) > MAX_JSON_CHARS or _depth(text) > MAX_JSON_DEPTH:
        return None
    try:
        return DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None


def repair_json(text: str) -> Iterator[str]:
    """Yield `text` and variants of it that mend what models get wrong: backslashes that JSON does
    not know, missing brackets at the end, doubled braces around."""
    text = text.strip()
    escaped = INVALID_ESCAPE.sub(lambda match: match[0] if match[1] else "\\\\", text)
    yield text
    yield escaped
    yield from (escaped + end for end in ("}", "}}", "]", "}]", "}}]"))
    if escaped.startswith("{{"):
        yield escaped[1:]


def _depth(text: str) -> int:
    """Return the largest number of open brackets outside of strings."""
    depth = deepest = 0
    for character in STRING.sub("", text):
        depth += BRACKETS.get(character, 0)
        deepest = max(deepest, depth)
    return deepest
