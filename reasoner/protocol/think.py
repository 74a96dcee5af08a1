"""Reasoning inside `<think>` … `</think>`, as R1 and its kin write it; paragraphs are steps."""

from collections.abc import Sequence

from reasoner.engine.control import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.request import Finish, Token
from reasoner.events import Channel
from reasoner.path import Decision, FinishReason, Path, Phase, Step
from reasoner.problem import Message, Problem
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import (
    Round,
    Vocabulary,
    conversation,
    extended,
    finished,
    tally,
)
from reasoner.protocol.room import Landing, Room
from reasoner.settings import Limits

__all__ = ["Think"]

OPEN, CLOSE = "<think>", "</think>"
CONTINUE = "\n\nWait, "
INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."


class Think:
    """Models trained to think between tags."""

    name = "think"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """These models want no system prompt; the instruction follows the question."""
        if problem.system is not None or not think:
            return conversation(problem, None)
        asked = f"{problem.question}\n\n{INSTRUCTION}"
        return conversation(problem.model_copy(update={"question": asked}), None)

    def opening(self, prompt: str, think: bool) -> str:
        """Open the block, or an empty one, unless the template did."""
        tail = prompt[-40:].rstrip()
        if not think:
            return "" if tail.endswith(CLOSE) else f"{OPEN}\n\n{CLOSE}\n\n"
        return "" if tail.endswith(OPEN) else f"{OPEN}\n"

    def round(self, path: Path, limits: Limits, room: Room) -> Round:
        if path.phase is Phase.REASONING:
            return ThinkRound(self._vocabulary, path, limits, room)
        tail = self._vocabulary.detokenize(path.tokens[-12:], special=True)
        closed = CLOSE in tail or not path.tokens
        prefix = [] if closed else self._vocabulary.tokenize(f"\n{CLOSE}\n\n")
        tags = (self._vocabulary.token_id(OPEN), self._vocabulary.token_id(CLOSE))
        ban = tuple(tag for tag in tags if tag is not None)
        return AnswerRound(self._vocabulary, path, room, prefix=prefix, ban=ban)


class ThinkRound:
    """One paragraph of thought. Wanting to end too early is overheard; not ending is cured."""

    channel: Channel = "reasoning"

    def __init__(self, vocabulary: Vocabulary, path: Path, limits: Limits, room: Room) -> None:
        self._vocabulary, self._path, self._limits = vocabulary, path, limits
        self._paragraph = Paragraph(lambda token: vocabulary.piece(token, special=True))
        self._landing = Landing(room, path.reasoning_tokens)
        self._prefix = self._continuation()
        self._no_end = Ban((*vocabulary.end_tokens, vocabulary.tokenize(CLOSE)[0]))
        self._landed = False

    def _continuation(self) -> list[int]:
        """A phrase for a model that wanted to end before `min_steps`."""
        tail = self._vocabulary.detokenize(self._path.tokens[-8:])
        if not self._path.tokens or tail.endswith("\n\n"):
            return []
        return self._vocabulary.tokenize(CONTINUE)

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        text = self._paragraph.text
        if CLOSE in text or self._paragraph.complete:
            return Halt()
        if self._landed or self._landing.due(text):
            self._landed = True
            return Halt()
        early = len(self._path.steps) < self._limits.min_steps and not text.strip()
        return self._no_end if early else FREE

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        self._landing.count()
        self._paragraph.add(token)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        if finish in (Finish.CANCELLED, Finish.LENGTH):
            reason = FinishReason.LENGTH if finish is Finish.LENGTH else FinishReason.INTERRUPTED
            return finished(self._with_step(tokens, Decision.END), "", 0, reason)
        if CLOSE not in self._paragraph.text and finish is not Finish.STOP:
            return self._go_on(tokens)
        thought = self._before_end(tokens)
        path = self._with_step(thought, Decision.END)
        if len(path.steps) >= self._limits.min_steps:
            kept = tokens if finish is not Finish.STOP else thought
            return extended(path, kept[len(thought) :], phase=Phase.ANSWER)
        return self._with_step(thought, Decision.PROCEED)

    def _go_on(self, tokens: Sequence[Token]) -> Path:
        """A completed paragraph, or one that was closed; the last one allowed is the last."""
        path = self._with_step(tokens, Decision.PROCEED)
        count, most = len(path.steps), self._limits.max_steps
        if (most is not None and count >= most) or (
            self._landed and count >= self._limits.min_steps
        ):
            path = self._with_step(tokens, Decision.END)
            return path.model_copy(update={"phase": Phase.ANSWER, "landed": True})
        return path

    def _with_step(self, tokens: Sequence[Token], decision: Decision) -> Path:
        """The path with the paragraph as a step; an empty one is only tokens."""
        text = self._paragraph.text.split(CLOSE)[0].strip()
        if not text or not tokens:
            return extended(self._path, tokens)
        step = tally(Step(text=text, decision=decision), tokens)
        return extended(self._path, tokens, steps=(*self._path.steps, step))

    def _before_end(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """The tokens before the closing tag or the end of the reply."""
        kept = [token for token in tokens if not self._vocabulary.is_eog(token.id)]
        while kept and CLOSE in self._text(kept):
            kept.pop()
        while kept and CLOSE.startswith(self._text(kept[-1:]).lstrip()) and self._partial(kept):
            kept.pop()
        return kept

    def _partial(self, tokens: Sequence[Token]) -> bool:
        """Whether the text ends in the beginning of a closing tag."""
        text = self._text(tokens)
        return any(text.endswith(CLOSE[:size]) for size in range(2, len(CLOSE)))

    def _text(self, tokens: Sequence[Token]) -> str:
        return self._vocabulary.detokenize([token.id for token in tokens], special=True)
