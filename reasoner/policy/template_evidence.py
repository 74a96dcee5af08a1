"""What a chat template shows about the blocks of reasoning that its model writes."""

import re
from dataclasses import dataclass

from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.policy.generation_prompt import generation_prompt
from reasoner.protocol.marks import KNOWN_MARKS
from reasoner.types.problem import Message
from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["MarkEvidence", "find_marks"]

THOUGHT, REPLY = "what was thought", "what was answered"


@dataclass(frozen=True)
class MarkEvidence:
    """The marks of a model's reasoning, and a sentence on what shows them."""

    marks: ReasoningMarks
    reason: str


def find_marks(template: str) -> MarkEvidence | None:
    """Return the marks that a chat template (Jinja source) shows, or None.

    A template shows them where it writes a mark itself (it opens the block, closes an empty one,
    or explains the marks to the model), and where it removes the block from an earlier reply. One
    that merely names the marks in its source shows nothing.
    """
    for marks in KNOWN_MARKS:
        if not _is_named(template, marks):
            continue
        if reason := _evidence(template, marks):
            return MarkEvidence(marks, reason)
    return None


def _is_named(template: str, marks: ReasoningMarks) -> bool:
    """Whether the source has a mark, or the pieces of which a mark of several tokens is made."""
    if marks.opening in template or marks.closing in template:
        return True
    pieces = re.findall(r"<\|[^|]+\|>|[^<]+", marks.closing)
    return len(pieces) > 1 and all(piece in template for piece in pieces)


def _evidence(template: str, marks: ReasoningMarks) -> str | None:
    written = (marks.opening, marks.closing)
    try:
        around = [part for think in (True, False) for part in generation_prompt(template, think)]
    except BadModelFile:
        return None
    if any(mark in text for text in around for mark in written):
        return "the chat template writes them before the reply"
    if any(mark in _render_reply(template, REPLY) for mark in written):
        return "the chat template writes them around earlier replies"
    text = _render_reply(template, f"{marks.opening}{THOUGHT}{marks.closing}{REPLY}")
    if REPLY in text and THOUGHT not in text:
        return "the chat template removes the block from earlier replies"
    return None


def _render_reply(template: str, reply: str) -> str:
    """Return a rendered conversation with an earlier reply; none where the template refuses it."""
    question = Message(role="user", content="a question")
    messages = [question, Message(role="assistant", content=reply), question]
    try:
        return render_prompt(template, messages)
    except BadModelFile:
        return ""
