"""One spelling for an answer: wrappers, spacing and Unicode out, numbers people write in.

Purely textual and linear; what it returns is LaTeX that the other modules read.
"""

import re
from fractions import Fraction

__all__ = ["MAX_LENGTH", "closes_at_end", "normalise", "unwrapped"]

MAX_LENGTH = 2000

_CHARACTERS = {
    "−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": r"\div ",
    "π": r"\pi ", "∞": r"\infty ", "°": r"^\circ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ",
    "±": r"\pm ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "θ": r"\theta ", "…": r"\ldots ",
    "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}", "⅓": r"\frac{1}{3}",
    "⅔": r"\frac{2}{3}", "²": "^{2}", "³": "^{3}", "√": r"\sqrt ", "∅": r"\emptyset ",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "’": "'",
}  # fmt: skip
_TABLE = str.maketrans(_CHARACTERS)
_SPACING = re.compile(
    r"(?<!\\)\\[,;:! ]|"
    r"\\(?:left|right|displaystyle|bigl?|bigr?|limits)(?![A-Za-z])|~|\\q?quad(?![A-Za-z])"
)
_GROUPS = re.compile(r"(?<=\d)(?:\{,\}|,\\!|\\,|\\!)(?=\d{3})")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_SPACED = re.compile(r"\d{1,3}(?: \d{3})+(?:\.\d+)?")
_EUROPEAN = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d+")
_SCIENTIFIC = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})(?!\w)")
_REPEATING = re.compile(
    r"(?<![\d.])(\d{1,9})\.(\d{0,9})(?:\\overline\{(\d{1,9})\}|\((\d{1,9})\)|\\bar\{(\d{1,9})\})"
)
_SCALE = re.compile(
    r"(?<=\d)\s*(?:\\text\{)?\s*(hundred|thousand|million|billion|trillion)s?\b\s?\}?",
    re.IGNORECASE,
)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_FONTS = re.compile(
    r"\\(?:mathbf|mathrm|mathit|mathsf|boldsymbol|bm|operatorname|textbf|textit|textrm|mbox|hbox)\s?(?=\{)"
)
_PERCENT = re.compile(
    r"\\?%|(?<=[\d }])\\?(?:text\{)?\s*(?:percent(?:age)?|pct)\b\s?\}?", re.IGNORECASE
)
_FUNCTION = re.compile(r"(?<![A-Za-z\\])(sin|cos|tan|cot|sec|csc|ln|log|exp)(?![a-z])")
_ROOT = re.compile(r"(?<![A-Za-z\\])sqrt\s?\(([^()]{1,80})\)")
_POWER = re.compile(r"\^\s?(-?\d{2,}|-\d)(?![\d}])")
_POWER_GROUP = re.compile(r"\^\s?\(([^()]{1,80})\)")
_SHORT_FRACTION = re.compile(r"\\frac ?(\d)(?: ?(\d)(?!\d)|(?=\{))|\\frac ?(\{\d+\}) ?(\d)(?!\d)")
_PLUS_INFINITY = re.compile(r"(?:^|(?<=[(\[,=])) ?\+ ?(?=\\infty)")
_EMPTY = re.compile(r"\\varnothing(?![a-z])|\\\{ ?\\\}|^\{ ?\}$")
_DEGREES = re.compile(
    r"\\(sin|cos|tan|cot|sec|csc) ?[({]? ?(\d+(?:\.\d+)?) ?\^ ?\{? ?\\circ ?\}? ?[)}]?"
)
_BUILDER = re.compile(
    r"(?:\\?\{) ?[A-Za-z](?: ?\\in ?\\mathbb ?\{?R\}?)? ?(?:\||:|\\mid|\\vert) ?(.+?)\\?\}"
)
_TRAILING_CURRENCY = re.compile(r"^(\d[\d.,]*) ?([€£¥₹])$")
_ENDS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"), ("`", "`"))


def normalise(text: str) -> str:
    """The normal form of an answer of at most MAX_LENGTH characters."""
    text = unwrapped(text.translate(_TABLE))
    if r"\begin" not in text:  # doubled backslashes come from JSON or Python source
        text = re.sub(r"\\\\(?=[A-Za-z])", lambda _: "\\", text)
    text = (
        text.replace(r"\dfrac", r"\frac").replace(r"\tfrac", r"\frac").replace(r"\cfrac", r"\frac")
    )
    text = _GROUPS.sub("", text.replace(r"\boxed", ""))
    text = _SPACING.sub(" ", text)
    text = _SHORT_FRACTION.sub(_braced, text)
    text = _FONTS.sub(lambda _: r"\text", text)
    text = re.sub(r"\\text ?\{ ?([A-Za-z]|\d+) ?\}", r"\1", text)
    text = re.sub(r"\\[lr]angle(?![a-z])", lambda m: "(" if m[0][1] == "l" else ")", text)
    text = _PERCENT.sub(lambda _: "%", _EMPTY.sub(lambda _: r"\emptyset", text))
    text = _PLUS_INFINITY.sub("", text)
    text = _numbers(" ".join(text.split()))
    text = re.sub(r"(?<![A-Za-z\\])pi(?![A-Za-z])", lambda _: r"\pi ", text)
    text = _FUNCTION.sub(lambda m: f"\\{m[1]}", text)
    text = _DEGREES.sub(lambda m: rf"\{m[1]}(\frac{{{m[2]}\pi}}{{180}})", text)
    text = _ROOT.sub(lambda m: rf"\sqrt{{{m[1]}}}", text)
    text = _POWER_GROUP.sub(lambda m: f"^{{{m[1]}}}", text.replace("**", "^"))
    text = _POWER.sub(lambda m: f"^{{{m[1]}}}", text)
    if text.count("$") != 1:
        text = unwrapped(" ".join(text.replace("$", "").split()))
    builder = _BUILDER.fullmatch(text)
    return builder[1].strip() if builder else text


def unwrapped(text: str) -> str:
    """Without math delimiters, box, emphasis and the sentence's full stop."""
    for _ in range(6):
        before = text
        text = text.strip().rstrip(";,")
        if text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
        for left, right in _ENDS:
            if len(text) >= len(left + right) and text.startswith(left) and text.endswith(right):
                text = text[len(left) : len(text) - len(right)]
        box = re.match(r"\\f?boxed\s?(?=\{)", text)
        if box and closes_at_end(text[box.end() :]):
            text = text[box.end() + 1 : -1]
        if text == before:
            break
    return text


def closes_at_end(text: str) -> bool:
    """Whether the bracket a text opens with closes with its last character."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return index == len(text) - 1
    return False


def _braced(match: re.Match[str]) -> str:
    r"""`\frac12` and `\frac{10}3` with all their braces."""
    top, bottom = match[1] or (match[3] or "")[1:-1], match[2] or match[4]
    return rf"\frac{{{top}}}" + (f"{{{bottom}}}" if bottom else "")


def _numbers(text: str) -> str:
    text = _TRAILING_CURRENCY.sub(r"\2\1", text)
    if _EUROPEAN.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")
    if not re.search(r"[(\[{]", text):  # (1,234) may be a pair
        text = _THOUSANDS.sub(lambda m: m[0].replace(",", ""), text)
    text = _REPEATING.sub(_fraction, text)
    text = _SCIENTIFIC.sub(r"\1*10^{\2}", text)
    return _SCALE.sub(lambda m: f"*10^{{{_SCALES[m[1].lower()]}}}", text)


def _fraction(match: re.Match[str]) -> str:
    """A repeating decimal as the fraction it is."""
    whole, lead = match[1], match[2]
    cycle = match[3] or match[4] or match[5]
    shift = 10 ** len(lead)
    value = Fraction(int(whole + lead), shift) + Fraction(
        int(cycle), shift * (10 ** len(cycle) - 1)
    )
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
