"""`KEY=VALUE` options, and values as people type them."""

import json
from typing import Any

from reasoner.errors import UsageError

__all__ = ["parse_pairs", "parse_value"]


def parse_pairs(pairs: list[str], flag: str, example: str) -> dict[str, Any]:
    """Return `["top_p=0.9"]` as `{"top_p": 0.9}`.

    Raises UsageError, which names `flag` and shows `example`, for a pair without a key or a sign.
    """
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{flag} takes key=value, such as {flag} {example}; got '{pair}'")
        values[key.strip()] = parse_value(value)
    return values


def parse_value(text: str) -> Any:
    """Return the number, boolean, null or list that `text` is as JSON; otherwise the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
