"""Text with formulas into tokens: variables, numbers, signs, and what separates or spoils.

`soft` pieces (words, full stops, delimiters) end a formula; `hard` ones (functions, roots, bars)
make what touches them unreadable. One linear regular expression; nothing is evaluated.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Piece", "pieces"]

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r~&]+|\\[,;!:\ ]
      |\\(?:left|right|displaystyle|bigg?[lr]?|Bigg?[lr]?|boxed)(?![A-Za-z])
      |\\\\(?:\[\d+\w\w\])?(?=\s{0,20}&?\s{0,3}=)
      |\n(?=\s{0,20}(?:\\\[|\\\(|\$)?\s{0,20}&?\s{0,3}=)
      |(?:\\\]|\\\)|\$\$?)\s{0,20}(?:\\\[|\\\(|\$\$?)(?=\s{0,20}&?\s{0,3}=))
  | (?P<pair>(?<![A-Za-z\\])(?!am|an|as|ax|my|by|cm|km|mm|pc|pm|mb|kb)[abcxyzmnpqkr]{2}
      (?![A-Za-z_'′(]))
  | (?P<soft>\n|\\\\|\\[()\[\]]|\$\$?|[.,;:?](?!\d)
      |\\(?:begin|end)\s?\{[a-z*]{1,12}\}(?:\{[a-z|]{1,9}\})?
      |\\(?:q?quad|implies|[Rr]ightarrow|Longrightarrow|iff|Leftrightarrow|to|therefore)(?![A-Za-z])
      |[⇒→⟹]|=>|->|\\text(?:bf|it)?\s?\{[^{}\\]{0,80}\}|\*\*(?=[A-Za-z\s])
      |[A-Za-z]{2,40}(?:'[a-z])?)
  | (?P<frac>\\[dtc]?frac(?![A-Za-z]))
  | (?P<times>\\(?:cdot|times)(?![A-Za-z])|[×·⋅])
  | (?P<variable>(?:\\(?:alpha|beta|gamma|theta|lambda|mu|pi|omega|phi)(?![A-Za-z])|[A-Za-z])
      (?:_(?:\{\w{1,3}\}|\w))?(?![A-Za-z_'′]))
  | (?P<number>\d+(?:[.,]\d+)*)
  | (?P<equals>=)
  | (?P<sign>\*\*|[-+*/^(){}\[\]−])
  | (?P<hard>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Piece(NamedTuple):
    """One token: its kind (a group of the pattern), its text, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text in order, without its spaces; `ab` is two variables, `a pen` a word."""
    for match in _TOKEN.finditer(text):
        kind, said = match.lastgroup or "hard", match[0]
        start, end = match.span()
        if kind == "pair":
            yield Piece("variable", said[0], start, start + 1)
            yield Piece("variable", said[1], start + 1, end)
        elif kind == "variable" and _is_article(match, text):
            yield Piece("soft", said, start, end)
        elif kind != "space":
            yield Piece(kind, said, start, end)


def _is_article(match: re.Match[str], text: str) -> bool:
    """`a` and `I` among words."""
    around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 2]
    return match[0] in "aAI" and re.fullmatch(r"\s? [A-Za-z(]", around) is not None
