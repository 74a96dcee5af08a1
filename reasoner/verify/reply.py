"""A text as the candidate that plugins judge: a whole reply, a short answer, a program."""

import re

from reasoner.verdict import Candidate
from reasoner.verify.extract import (
    MAX_ANSWER,
    code_blocks,
    extract_final,
    extract_marked,
    fenced_blocks,
)

__all__ = ["read_reply"]

_PROSE = re.compile(
    r"(?i)\b(?:is|are|was|were|we|so|the|thus|hence|therefore|get|gives?|equals?)\b"
)


def read_reply(text: str, *, program: bool = False) -> Candidate:
    """The candidate that `text` is.

    Its short final answer is what it marks as such (a box, "the answer is …"); a single line that
    is no sentence is itself the answer; else the answer is looked for as in any reply. Code is what
    stands in fences; without any, the whole text when it begins as a program, or when `program`
    says that it is one.
    """
    code = code_blocks(text)
    if not fenced_blocks(text) and (program or code):
        return Candidate(answer=text, code=(text,))
    return Candidate(answer=text, final=_final(text), code=code)


def _final(text: str) -> str | None:
    line = text.strip()
    bare = len(line) <= MAX_ANSWER and "\n" not in line and not _PROSE.search(line)
    return extract_marked(text) or (line if line and bare else extract_final(text))
