"""`KEY=VALUE` options, and values as people type them."""

import json
from typing import Any

__all__ = ["parse_pairs", "parse_value"]


def parse_pairs(pairs: list[str], flag: str, example: str) -> dict[str, Any]:
    """`["top_p=0.9"]` -> `{"top_p": 0.9}`; a mistake names the flag and shows the example."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            from reasoner.errors import UsageError

            raise UsageError(f"{flag} takes key=value, such as {flag} {example}; got '{pair}'")
        found[key.strip()] = parse_value(value)
    return found


def parse_value(text: str) -> Any:
    """A number, true/false, null or a list where the text is one; else the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
