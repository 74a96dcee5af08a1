"""Text of a step into tokens: numbers, operators, words, and what must not be looked across.

One linear regular expression; nothing is evaluated here. LaTeX and Unicode forms of the same
operator become the same token.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from fractions import Fraction

__all__ = ["MAX_DIGITS", "Kind", "MathToken", "tokenize"]

MAX_DIGITS = 40
_SUFFIXES = (
    "cm mm km kg mg lb lbs oz ft in yd mi ml hr hrs min sec mph kph kb mb gb "
    "units inches feet meters miles yards"
)
UNIT_SUFFIXES = frozenset(_SUFFIXES.split())
"""Short words that may stick to a number; others there are products of variables."""


class Kind(Enum):
    NUMBER = auto()
    OPERATOR = auto()  # + - * / ^
    OPEN = auto()
    CLOSE = auto()
    FRACTION = auto()  # \frac, two braced groups follow
    EQUALS = auto()
    APPROX = auto()
    PERCENT = auto()
    CURRENCY = auto()
    WORD = auto()
    BREAK = auto()  # end of a clause: expressions do not cross it
    OTHER = auto()  # something not understood: expressions must not touch it


@dataclass(slots=True)
class MathToken:
    """`places` are the decimals a number shows, `tight` says that no space stands before it.

    `units` are the words that follow a number or group and name what it counts.
    """

    kind: Kind
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    places: int = 0
    tight: bool = False
    units: list[str] = field(default_factory=list)


_PATTERN = re.compile(
    r"""
    (?P<rowbreak>\\\\(?:\[\d+\w\w\])?|\n)
  | (?P<space>[ \t\r\xa0\u2009\u202f~&]+|\\[,;!:\ ]
      |\\(?:left|right|displaystyle|bigl?|bigr?)(?![A-Za-z])
      |\\[()\[\]]|\$\$|["'“”‘’`])
  | (?P<currency>\\\$|\$(?=\s?\d|\s?\.\d)|[€£¥₹])
  | (?P<delimiter>\$)
  | (?P<text>\\(?:text(?:bf|it|rm)?|mathrm|mbox)\s?\{(?P<inner>[^{}\\]{0,80})\})
  | (?P<shortfrac>\\[dtc]?frac\s?(?P<top>\d)\s?(?P<bottom>\d)(?!\d))
  | (?P<fraction>\\[dtc]?frac(?![A-Za-z]))
  | (?P<degree>\^\s?\{?\\circ\}?|\\degree|°)
  | (?P<times>\\(?:times|cdot|ast)(?![A-Za-z])|[×·⋅∗✕])
  | (?P<divide>\\div(?![A-Za-z])|[÷∕])
  | (?P<approx>\\approx(?![A-Za-z])|≈|≅)
  | (?P<percent>\\?%|[Pp]ercent(?![A-Za-z]))
  | (?P<wide>\\(?:q?quad|implies|[Rr]ightarrow|Longrightarrow|to|therefore|newline)(?![A-Za-z])
      |\\(?:begin|end)\s?\{[a-z*]{1,12}\}|=>|->|[→⇒⟹—])
  | (?P<boxed>\\boxed(?=\s?\{))
  | (?P<other>\\[A-Za-z]+|==|!=|:=|<=|>=|[<>≠≤≥±∓≡√π_|\#@])
  | (?P<equals>=)
  | (?P<number>\.?\d+(?:(?:[.,:_]|\{,\}|,\\!)\d+)*)
  | (?P<word>[A-Za-z]+(?:'[a-z]{1,2})?)
  | (?P<super>[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
  | (?P<power>\*\*)
  | (?P<operator>[+*/^\-−–])
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<stop>[.,;:?…])
  | (?P<rest>.)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PLAIN = re.compile(r"(?:\d{1,3}(?:(?:,|\{,\}|,\\!)\d{3})+|\d+)(?:\.\d+)?|\.\d+")
_SUPERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_BINDS = {Kind.OPERATOR, Kind.EQUALS, Kind.APPROX}
_LABEL = re.compile(r"(?m)^[ \t]*(?:[-*•+>][ \t]+|\(?\w{1,2}[.)][ \t]+|\#+[ \t]+)+")
_SIMPLE = {
    "currency": (Kind.CURRENCY, ""),
    "fraction": (Kind.FRACTION, ""),
    "approx": (Kind.APPROX, ""),
    "percent": (Kind.PERCENT, ""),
    "wide": (Kind.BREAK, ""),
    "other": (Kind.OTHER, ""),
    "equals": (Kind.EQUALS, ""),
    "open": (Kind.OPEN, ""),
    "close": (Kind.CLOSE, ""),
    "stop": (Kind.BREAK, ""),
    "rest": (Kind.OTHER, ""),
    "times": (Kind.OPERATOR, "*"),
    "divide": (Kind.OPERATOR, "/"),
    "degree": (Kind.WORD, "degrees"),
}


def tokenize(text: str) -> list[MathToken]:
    """The tokens of a text; list markers at line starts are left out."""
    labels = {match.start(): match.end() for match in _LABEL.finditer(text)}
    tokens: list[MathToken] = []
    end_of_last = -1
    position = 0
    while position < len(text):
        if position in labels and labels[position] > position:
            tokens.append(MathToken(Kind.BREAK, "", position, position))
            position = labels.pop(position)
            continue
        match = _PATTERN.match(text, position)
        assert match is not None
        position = match.end()
        for token in _tokens(match, text, tokens):
            token.tight = token.start == end_of_last
            tokens.append(token)
            end_of_last = token.end
    return tokens


def _tokens(match: re.Match[str], text: str, before: list[MathToken]) -> Iterator[MathToken]:
    name, said = match.lastgroup or "", match[0]
    start, end = match.span()
    if match["text"] is not None:
        yield from _words(match["inner"], start, end)
    elif match["shortfrac"] is not None:
        yield from _short_fraction(match)
    elif name in _SIMPLE:
        kind, same = _SIMPLE[name]
        yield MathToken(kind, same or said, start, end)
    elif name == "number":
        yield _number(said, start, end, text)
    elif name == "word":
        yield _word(said, start, end, text, before)
    elif name == "super":
        yield MathToken(Kind.OPERATOR, "^", start, end)
        yield _number(said.translate(_SUPERS), start, end, "")
    elif name in ("operator", "power"):
        yield from _operator(said, start, end, text)
    elif name == "rowbreak" and not _continues(text, end, before):
        yield MathToken(Kind.BREAK, said, start, end)


def _continues(text: str, end: int, before: list[MathToken]) -> bool:
    """Whether an expression goes on over a line break: an operator or = stands on either side."""
    if before and before[-1].kind in _BINDS:
        return True
    return text[end : end + 8].lstrip(" \t&$\\()[").startswith("=")


def _words(inner: str, start: int, end: int) -> Iterator[MathToken]:
    if any(character.isdigit() or character == "=" for character in inner):
        yield MathToken(Kind.OTHER, inner, start, end)
        return
    for word in re.findall(r"[A-Za-z]+", inner):
        yield MathToken(Kind.WORD, word.lower() if len(word) > 1 else word * 2, start, end)


def _short_fraction(match: re.Match[str]) -> Iterator[MathToken]:
    start, end = match.span()
    yield MathToken(Kind.FRACTION, "\\frac", start, start)
    yield MathToken(Kind.NUMBER, match["top"], start, start, Fraction(int(match["top"])))
    yield MathToken(Kind.NUMBER, match["bottom"], end, end, Fraction(int(match["bottom"])))


def _number(said: str, start: int, end: int, text: str) -> MathToken:
    """A number, or OTHER for what only looks like one: 1,2 10:30 2_8 x2 3rd 5!"""
    before, after = text[start - 1 : start], text[end : end + 2]
    odd = before.isalpha() or before in ("_", "\\") or after[:1] in ("!", "_", "'", "′")
    odd = odd or after in ("st", "nd", "rd", "th")
    if odd or len(said) > MAX_DIGITS or not _PLAIN.fullmatch(said):
        return MathToken(Kind.OTHER, said, start, end)
    digits = re.sub(r"\{,\}|,\\!|,", "", said)
    places = len(digits.partition(".")[2])
    return MathToken(Kind.NUMBER, digits, start, end, Fraction(digits), places)


def _word(said: str, start: int, end: int, text: str, before: list[MathToken]) -> MathToken:
    """A word; a single letter is a variable (OTHER), or × when it stands alone among numbers."""
    after = text[end : end + 1]
    squared = after in ("^", "²", "³") and said in UNIT_SUFFIXES
    if (after and after in "_^" and not squared) or text[start - 1 : start] == "\\":
        return MathToken(Kind.OTHER, said, start, end)
    if len(said) > 1:
        product = text[start - 1 : start].isdigit() and len(said) < 4 and said not in UNIT_SUFFIXES
        called = after == "(" and len(said) <= 3
        return MathToken(Kind.OTHER if called or product else Kind.WORD, said.lower(), start, end)
    spaced = text[start - 1 : start].isspace() and after.isspace()
    among = bool(before) and before[-1].kind is not Kind.OTHER
    if said in "xX" and spaced and among and re.match(r"\s*[$\\(\d.]", text[end : end + 4]):
        return MathToken(Kind.OPERATOR, "*", start, end)
    if said in "aAI" and (spaced or start == 0):
        return MathToken(Kind.WORD, said.lower() * 2, start, end)
    return MathToken(Kind.OTHER, said, start, end)


def _operator(said: str, start: int, end: int, text: str) -> Iterator[MathToken]:
    """An operator; asterisks that are Markdown emphasis and hyphens in words are not."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if said == "**":
        if (before.isdigit() or before == ")") and (after.isdigit() or after == "("):
            yield MathToken(Kind.OPERATOR, "^", start, end)
        return
    if said in "-−–":
        if (before.isalnum() and after.islower()) or (before.isalpha() and after.isalnum()):
            return
        said = "-"
    lonely = bool(before.strip()) != bool(after.strip())
    if said == "*" and lonely and (not text[:start].strip() or not text[end:].strip()):
        return
    yield MathToken(Kind.OPERATOR, said, start, end)
