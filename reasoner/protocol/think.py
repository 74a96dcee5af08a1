"""Reasoning inside `<think>` … `</think>`, as DeepSeek-R1 and similar models write it.

Each paragraph is a step.
"""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.engine import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.path import Decision, Path, Phase, Step
from reasoner.problem import Message, Problem
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.protocol import (
    INSTRUCTION,
    Round,
    conversation,
    extended,
    finished,
    tally,
)
from reasoner.protocol.room import Room
from reasoner.protocol.spoken import UNMARKED
from reasoner.protocol.thought import ThoughtRound, cut_short
from reasoner.settings import Limits

__all__ = ["Think"]

OPEN, CLOSE = "<think>", "</think>"
CONTINUE = "\n\nWait, "
"""Forced when a model ended its reasoning before `min_steps`."""
BACK = "Wait, the last step is wrong. Let me do it again."


class Think:
    """For models trained to reason between tags."""

    name = "think"
    required_capabilities: tuple[Capability, ...] = ()
    marks: Mapping[int, str] = UNMARKED
    phrases: Mapping[Decision, str] = {
        Decision.PROCEED: "So",
        Decision.BACKTRACK: BACK,
        Decision.END: CLOSE,
    }

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """Put the instruction after the question: these models expect no system prompt."""
        if problem.system is not None or not think:
            return conversation(problem, None)
        question = f"{problem.question}\n\n{INSTRUCTION}"
        return conversation(problem.model_copy(update={"question": question}), None)

    def opening(self, prompt: str, think: bool) -> str:
        """Return an opening tag, or without `think` an empty block, unless `prompt` ends in it."""
        tail = prompt[-40:].rstrip()
        if not think:
            return "" if tail.endswith(CLOSE) else f"{OPEN}\n\n{CLOSE}\n\n"
        return "" if tail.endswith(OPEN) else f"{OPEN}\n"

    def round(self, path: Path, limits: Limits, room: Room) -> Round:
        if path.phase is Phase.REASONING:
            return self._thought(path, limits, room)
        tail = self._vocabulary.detokenize(path.tokens[-12:], special=True)
        closed = CLOSE in tail or not path.tokens
        prefix = [] if closed else self._vocabulary.tokenize(f"\n{CLOSE}\n\n")
        tags = (self._vocabulary.token_id(OPEN), self._vocabulary.token_id(CLOSE))
        ban = tuple(tag for tag in tags if tag is not None)
        return AnswerRound(self._vocabulary, path, room, prefix=prefix, ban=ban)

    def _thought(self, path: Path, limits: Limits, room: Room) -> "ThinkRound":
        vocabulary = self._vocabulary
        tail = vocabulary.detokenize(path.tokens[-8:])
        after_call = bool(path.steps) and path.steps[-1].call is not None
        stopped = bool(path.tokens) and not after_call and not tail.endswith("\n\n")
        back = bool(path.steps) and path.steps[-1].decision is Decision.BACKTRACK
        gap = "" if tail.endswith("\n\n") else "\n\n"
        prefix = f"{gap}{BACK}" if back else CONTINUE if stopped else ""
        return ThinkRound(
            vocabulary,
            path,
            limits,
            room,
            prefix=vocabulary.tokenize(prefix) if prefix else (),
            over=lambda text: CLOSE in text,
            ends=(*vocabulary.end_tokens, vocabulary.tokenize(CLOSE)[0]),
        )


class ThinkRound(ThoughtRound):
    """Generates one paragraph of reasoning; an end before `min_steps` is removed again."""

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        if reason := cut_short(finish):
            return finished(self._with_step(tokens, Decision.END), "", 0, reason)
        closed = CLOSE in self.paragraph.text
        if not closed and finish is not Finish.STOP:
            return self._go_on(tokens)
        thought = self._before_end(tokens)
        path = self._with_step(thought, Decision.END)
        if len(path.steps) < self.limits.min_steps:
            return self._with_step(thought, Decision.PROCEED)
        return extended(path, tokens[len(thought) :] if closed else (), phase=Phase.ANSWER)

    def _go_on(self, tokens: Sequence[Token]) -> Path:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        path = self._with_step(tokens, Decision.PROCEED)
        if not self.was_last(path.steps):
            return path
        path = self._with_step(tokens, Decision.END)
        return path.model_copy(update={"phase": Phase.ANSWER, "landed": self.used_up(path.steps)})

    def _with_step(self, tokens: Sequence[Token], decision: Decision) -> Path:
        """Return the trajectory with the paragraph as a step; an empty one adds only its tokens."""
        text = self.vocabulary.detokenize([token.id for token in tokens]).split(CLOSE)[0].strip()
        if not text or not tokens:
            return extended(self.path, tokens)
        step = tally(Step(text=text, decision=decision), tokens)
        return extended(self.path, tokens, steps=(*self.path.steps, step))

    def _before_end(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Return the tokens before the closing tag or the end of the reply."""
        thought = self.spoken(tokens)
        while thought and CLOSE in self._text(thought):
            thought.pop()
        while (
            thought
            and CLOSE.startswith(self._text(thought[-1:]).lstrip())
            and self._partial(thought)
        ):
            thought.pop()
        return thought

    def _partial(self, tokens: Sequence[Token]) -> bool:
        """Whether the text ends in the beginning of a closing tag."""
        text = self._text(tokens)
        return any(text.endswith(CLOSE[:size]) for size in range(2, len(CLOSE)))

    def _text(self, tokens: Sequence[Token]) -> str:
        return self.vocabulary.detokenize([token.id for token in tokens], special=True)
