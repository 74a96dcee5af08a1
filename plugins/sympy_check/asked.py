"""Questions that are nothing but a sum: `What is 17 * 23?`, `Compute (3 + 4) / 2.`, `2^10 = ?`

Their answer is the sum's value, so it can be checked for good. Whatever has a word, a unit or a
second sentence in it is somebody else's to read.
"""

import re

__all__ = ["asked_sum"]

MAX_QUESTION_CHARS = 300
_OPENING = re.compile(
    r"(?i)^(?:please )?(?:(?:what(?:'s| is| does)|how much is|compute|calculate|evaluate|work out|"
    r"find|solve|simplify)[ :]+)?(?:the (?:value|result|sum|product|quotient|difference) of )?"
)
_CLOSING = re.compile(r"(?i)(?:\s*=\s*(?:\?|_+)?|\s+equal)?\s*[?.!]?$")
_SUM = re.compile(r"[-+(\d][-+*/^().\d\s×÷·−]*[)\d]", re.ASCII)
_OPERATION = re.compile(r"[\d)]\s*[-+*/^×÷·−]\s*[-−(\d]", re.ASCII)
_DATE = re.compile(r"^\d+([-/])\d+\1\d+$", re.ASCII)


def asked_sum(question: str) -> str | None:
    """The sum that a question asks for the value of; None where it asks for anything else."""
    text = question.strip()
    if len(text) > MAX_QUESTION_CHARS:
        return None
    text = _OPENING.sub("", text, count=1).strip("$ ")
    text = _CLOSING.sub("", text, count=1).strip("$ ")
    if not _SUM.fullmatch(text) or not _OPERATION.search(text) or _DATE.match(text):
        return None
    return text
