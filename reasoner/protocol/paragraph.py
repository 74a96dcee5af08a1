"""A growing paragraph: where it ends, and whether it states the final answer."""

import re

__all__ = ["Paragraph", "states_final"]

FINAL_LINE = re.compile(
    r"^\W{0,12}final answer\b[\s*_:=]{0,8}(\S.{0,400})", re.IGNORECASE | re.MULTILINE
)
FINAL_SCAN_CHARS = 2000
"""Characters at the end of a paragraph that are searched for a final answer."""


class Paragraph:
    """Text that grows piece by piece."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, text: str) -> None:
        self.text += text

    @property
    def complete(self) -> bool:
        """Whether a blank line has ended the paragraph. It does not end one after a heading, after
        a colon, or inside a code block."""
        if not re.search(r"\n[ \t]*\n\s*$", self.text[-40:]):
            return False
        body = self.text.strip()
        if not body or self.text.count("```") % 2:
            return False
        last_line = body.rsplit("\n", 1)[-1]
        return not (last_line.rstrip("*_ ").endswith(":") or last_line.startswith("#"))


def states_final(text: str, line_ended: bool = False) -> bool:
    """Whether the text states a final answer: `\\boxed{…}` or a "final answer" line.

    With `line_ended` the statement must also be followed by the end of its line, so that a text
    still being written is not cut short.
    """
    tail = text[-FINAL_SCAN_CHARS:]
    ends = [end for end in (_boxed_end(tail), _final_line_end(tail)) if end is not None]
    return any(not line_ended or "\n" in tail[end:] for end in ends)


def _boxed_end(text: str) -> int | None:
    """Return the index after the last closed, non-empty `\\boxed{…}`, or None."""
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for i in range(start + 6, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1 if text[start + 7 : i].strip() else None
    return None


def _final_line_end(text: str) -> int | None:
    match = FINAL_LINE.search(text)
    return match.end() if match else None
