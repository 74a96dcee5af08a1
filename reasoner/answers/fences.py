"""Finding fenced blocks of code in a reply, also in lists and quotations, as CommonMark does.

The text may be hostile: every pattern takes linear time.
"""

import re
import textwrap
from collections.abc import Iterator

__all__ = ["find_fences"]

_FENCE = re.compile(
    r"(?m)^\ufeff?((?:[ \t]{0,12}(?:[-*+]|\d{1,3}[.)]|>)(?=[ \t`~])){0,3}[ \t]{0,12})"
    r"(`{3,}|~{3,})[ \t]*([^\n`]*)$"
)
_TRIPLE_QUOTES = re.compile(r"\"\"\"|'''")
_QUOTATION = re.compile(r"(?m)^[ \t]{0,12}>[ \t]?")
_MAX_DEEPER = 4
"""Columns by which a fence is deeper than the opening one when it belongs to the code."""


def find_fences(text: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Yield the language, the body and the span of every fenced block.

    A body loses the indentation that its fence has. A fence within a string of the code, or much
    deeper than the opening one, belongs to the code. The last block may be unclosed.
    """
    opened: re.Match[str] | None = None
    doubtful: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened, doubtful = match, None
        elif _may_close(opened, match):
            if _is_inside_code(text, opened, match):
                doubtful = match
                continue
            yield _language(opened), _body(text, opened, match.start()), _span(opened, match)
            opened = None
    if opened is not None:
        end = len(text) if doubtful is None else doubtful.start()
        yield _language(opened), _body(text, opened, end), (opened.start(), len(text))


def _may_close(opened: re.Match[str], match: re.Match[str]) -> bool:
    is_same_kind = match[2][0] == opened[2][0] and len(match[2]) >= len(opened[2])
    return is_same_kind and not match[3].strip() and not match[1].strip(" \t>")


def _is_inside_code(text: str, opened: re.Match[str], match: re.Match[str]) -> bool:
    if _width(match) - _width(opened) >= _MAX_DEEPER:
        return True
    if not _language(opened).startswith("py"):
        return False
    quote = None
    for mark in _TRIPLE_QUOTES.finditer(text, opened.end(), match.start()):
        if quote is None:
            quote = mark[0]
        elif mark[0] == quote:
            quote = None
    return quote is not None


def _body(text: str, opened: re.Match[str], end: int) -> str:
    """Return the text up to `end` without the indentation or quotation marks of its fence."""
    body = text[opened.end() + 1 : end]
    if ">" in opened[1]:
        body = _QUOTATION.sub("", body)
    if width := _width(opened):
        lines = [
            line[min(width, len(line) - len(line.lstrip(" \t"))) :] for line in body.split("\n")
        ]
        body = textwrap.dedent("\n".join(lines))
    return body


def _width(fence: re.Match[str]) -> int:
    """Return the columns before a fence, after the last mark of a quotation and its space."""
    before, mark, after = fence[1].expandtabs(4).rpartition(">")
    return max(0, len(after) - bool(mark)) if mark else len(before + after)


def _span(opened: re.Match[str], closed: re.Match[str]) -> tuple[int, int]:
    return opened.start(), closed.end()


def _language(fence: re.Match[str]) -> str:
    return (fence[3].strip().lower().split() or [""])[0].strip("{}.")
