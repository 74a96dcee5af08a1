"""Whether a number could be an answer to what was asked at all."""

import re

__all__ = ["plausible"]

COUNT = re.compile(r"\bhow many\b", re.IGNORECASE)
AMOUNT = re.compile(r"\bhow (many|much|old|long|far|tall|heavy)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?P<sign>[-+]?)\$?(?P<whole>\d[\d,]*)(?:\.(?P<part>\d+))?%?")


def plausible(question: str, final: str) -> bool:
    """False for a count that is not whole, and for a count or an amount that is negative.

    "How many" may ask for hours, of which there can be two and a half: a doubt, not a refutation.
    """
    number = NUMBER.fullmatch(final.strip().removeprefix("$"))
    if number is None:
        return True
    whole, part = number["whole"], number["part"] or ""
    if COUNT.search(question) and part.strip("0"):
        return False
    negative = number["sign"] == "-" and bool((whole + part).strip("0,"))
    return not (negative and AMOUNT.search(question))
