r"""Finding mathematics in a text: `$…$`, `\(…\)`, `\[…\]`, or a text that is only mathematics.

Dollar signs also denote money, so the text between two of them is examined first. The text may be
hostile: every pattern takes linear time.
"""

import re
from collections import deque

__all__ = ["last_span", "whole_answer"]

_SPAN = re.compile(
    r"\$\$[^$]{1,1000}\$\$|\$(?:[^$\\]|\\.){1,1000}\$|\\\((?:[^\\]|\\[^()]){1,1000}\\\)|"
    r"\\\[(?:[^\\]|\\[^\[\]]){1,1000}\\\]",
    re.DOTALL,
)
_COMMAND = re.compile(
    r"\\(?:text|mathrm|mbox|textbf|mathbf|begin|end|operatorname) ?\{[^{}]*\}|\\[A-Za-z]+"
)
_WORDS = re.compile(r"[A-Za-z]{2,}")
_PROSE = re.compile(r"[A-Za-z]{4,}")
_JOINS = {"and", "or", "percent", "pct"}
_NAMES = {"pi", "sqrt", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "inf"}
_UNITS = {"cm", "mm", "km", "kg", "mg", "ml", "lb", "oz", "ft", "min", "sec", "hr", "am", "pm"}
_EQUATION = re.compile(r"[^=]*\d\W*[-+*/x×÷]\W*\d[^=]*=")


def last_span(line: str) -> tuple[str, int] | None:
    """Return the last mathematics in a line, with its delimiters, and the index of its end."""
    for span in reversed(deque(_SPAN.finditer(line), maxlen=16)):
        if _is_mathematics(span[0].strip("$"), line[span.end() : span.end() + 1]):
            return span[0], span.end()
    return None


def whole_answer(text: str) -> str | None:
    """Return the text without dollar signs when it consists of an answer only, otherwise None.

    An answer is mathematics, or several pieces of it joined by commas, "and" or "or". A
    calculation such as `3 * 4 = 12` is none, because its right side is the answer.
    """
    text = text.strip()
    if not text or len(text) > 1000 or "\n\n" in text or not re.search(r"[\d\\$]", text):
        return None
    rest = _SPAN.sub(lambda span: " " if _is_mathematics(span[0].strip("$"), "") else span[0], text)
    outside = {word.lower() for word in _WORDS.findall(_COMMAND.sub(" ", rest))}
    if "$" in rest or outside - _JOINS - _NAMES - _UNITS or _EQUATION.match(rest):
        return None
    return re.sub(r"(?<!\\)\$", "", text)


def _is_mathematics(inside: str, after: str) -> bool:
    """Return False for the prose between two prices, as in "5 and the other costs "."""
    bare = inside.strip()
    if not bare or bare[-1] in "+-*/=<>(," or after.isdigit():
        return False
    return not {w.lower() for w in _PROSE.findall(_COMMAND.sub(" ", bare))} - _JOINS - _NAMES
