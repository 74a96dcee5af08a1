"""Building the submission that verifier plugins check, from a trajectory or from a bare text."""

import re
from collections.abc import Iterable

from reasoner.answers.extraction import (
    MAX_ANSWER_CHARACTERS,
    code_blocks,
    extract_final_answer,
    extract_marked_answer,
    fenced_blocks,
)
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import Step
from reasoner.types.verdict import Submission

__all__ = ["build_submission", "read_submission"]

_SENTENCE_WORDS = re.compile(
    r"(?i)\b(?:is|are|was|were|we|so|the|thus|hence|therefore|get|gives?|equals?)\b"
)


def build_submission(
    steps: Iterable[Step], answer: str, final: str | None, *, calls: Iterable[ToolCall] = ()
) -> Submission:
    """Return the submission of a finished trajectory.

    `steps` are its reasoning steps, `answer` the reply, `final` the short final answer, None when
    the reply has none, and `calls` the tool calls that count as evidence. The code blocks are
    extracted from `answer`.
    """
    return Submission(
        steps=tuple(step.text for step in steps),
        answer=answer,
        final=final,
        code=code_blocks(answer),
        calls=tuple(calls),
    )


def read_submission(text: str, *, program: bool = False) -> Submission:
    """Return the submission that a text without reasoning steps amounts to.

    The final answer is the one that the text marks as such (a box, "the answer is ..."). A single
    line that is no sentence is itself the final answer; any other text is searched as a reply is.
    The code is taken from fenced blocks. Without fences the whole text is the code when it begins
    as a program, or when `program` is set.
    """
    blocks = code_blocks(text)
    if not fenced_blocks(text) and (program or blocks):
        return Submission(answer=text, code=(text,))
    return Submission(answer=text, final=_final_answer(text), code=blocks)


def _final_answer(text: str) -> str | None:
    line = text.strip()
    is_short_line = len(line) <= MAX_ANSWER_CHARACTERS and "\n" not in line
    is_bare = is_short_line and not _SENTENCE_WORDS.search(line)
    return extract_marked_answer(text) or (line if line and is_bare else extract_final_answer(text))
