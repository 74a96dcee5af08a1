"""A plausibility check of numeric answers against the wording of the question."""

import re

__all__ = ["is_plausible_answer"]

COUNT_QUESTION = re.compile(r"\bhow many\b", re.IGNORECASE)
AMOUNT_QUESTION = re.compile(r"\bhow (many|much|old|long|far|tall|heavy)\b", re.IGNORECASE)
NUMBER = re.compile(r"(?P<sign>[-+]?)\$?(?P<whole>\d[\d,]*)(?:\.(?P<fraction>\d+))?%?")


def is_plausible_answer(question: str, final: str) -> bool:
    """False for a count that is not whole, and for a count or an amount that is negative.

    It is a heuristic, not a refutation: "how many" may ask for hours, and two and a half is right.
    """
    number = NUMBER.fullmatch(final.strip().removeprefix("$"))
    if number is None:
        return True
    whole, fraction = number["whole"], number["fraction"] or ""
    if COUNT_QUESTION.search(question) and fraction.strip("0"):
        return False
    negative = number["sign"] == "-" and bool((whole + fraction).strip("0,"))
    return not (negative and AMOUNT_QUESTION.search(question))
