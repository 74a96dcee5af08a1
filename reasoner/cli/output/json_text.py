"""JSON for a stream: whatever the stream cannot show as it is stands there as an escape."""

import re
from typing import TextIO

__all__ = ["escape_json"]

UNESCAPED_CONTROL = re.compile("[\x7f-\x9f]")
"""JSON escapes C0 by itself; DEL and C1 reach a terminal as they are unless escaped too."""
NOT_ASCII = re.compile("[^\x00-\x7e]")
FIRST_ASTRAL = 0x10000


def escape_json(json: str, stream: TextIO) -> str:
    """The JSON with control characters escaped, so that it can be shown at a terminal, and with
    every letter beyond ASCII escaped where the stream's encoding lacks one of them."""
    try:
        json.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:  # also a lone surrogate, which UTF-8 lacks
        return NOT_ASCII.sub(_escape, json)
    return UNESCAPED_CONTROL.sub(_escape, json)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < FIRST_ASTRAL:
        return f"\\u{code:04x}"
    high, low = divmod(code - FIRST_ASTRAL, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
