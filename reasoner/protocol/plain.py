"""The protocol for models without step marks: each paragraph is a step, until one states the final
answer."""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.engine import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.path import Decision, FinishReason, Path, Phase, Step
from reasoner.problem import Message, Problem
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.paragraph import states_final
from reasoner.protocol.protocol import (
    INSTRUCTION,
    Round,
    conversation,
    decided,
    extended,
    finished,
    tally,
)
from reasoner.protocol.room import Room
from reasoner.protocol.spoken import UNMARKED
from reasoner.protocol.thought import ThoughtRound, cut_short
from reasoner.settings import Limits

__all__ = ["Plain"]

CONTINUE = (
    "Wait, let me check this again.",
    "Let me solve it in another way.",
    "Let me read the question once more.",
)
"""Used in rotation: after the same words a small model generates the same paragraph again."""
BACK = "Wait, the last step is wrong. Let me do it again."
STATE_ANSWER = "Final answer:"


class Plain:
    """Works with any instruction-tuned model: no special tokens are needed."""

    name = "plain"
    required_capabilities: tuple[Capability, ...] = ()
    marks: Mapping[int, str] = UNMARKED
    phrases: Mapping[Decision, str] = {
        Decision.PROCEED: "Next,",
        Decision.BACKTRACK: BACK,
        Decision.END: STATE_ANSWER,
    }

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        return conversation(problem, INSTRUCTION if think else None)

    def opening(self, prompt: str, think: bool) -> str:
        return ""

    def round(self, path: Path, limits: Limits, room: Room) -> Round:
        if path.phase is Phase.REASONING:
            return self._thought(path, limits, room)
        prefix = self._on_new_line(path, STATE_ANSWER) if path.steps else []
        return AnswerRound(self._vocabulary, path, room, prefix=prefix, short=bool(path.steps))

    def _thought(self, path: Path, limits: Limits, room: Room) -> "PlainRound":
        return PlainRound(
            self._vocabulary,
            path,
            limits,
            room,
            prefix=self._continuation(path),
            over=lambda text: states_final(text, line_ended=True),
            ends=self._vocabulary.end_tokens,
        )

    def _continuation(self, path: Path) -> list[int]:
        """Return the tokens that make a model continue which ended before `min_steps`, or redo a
        step that it decided to give up."""
        if not path.steps or path.steps[-1].call is not None:
            return []
        if path.steps[-1].decision is Decision.BACKTRACK:
            return self._on_new_line(path, BACK)
        ended = not self._tail(path).endswith("\n\n") or states_final(path.steps[-1].text)
        count = sum(step.text.startswith(CONTINUE) for step in path.steps)
        return self._on_new_line(path, CONTINUE[count % len(CONTINUE)]) if ended else []

    def _on_new_line(self, path: Path, text: str) -> list[int]:
        gap = "" if self._tail(path).endswith("\n\n") else "\n\n"
        return self._vocabulary.tokenize(gap + text)

    def _tail(self, path: Path) -> str:
        return self._vocabulary.detokenize(path.tokens[-8:])


class PlainRound(ThoughtRound):
    """Generates one paragraph; one that states the final answer is the answer, not a step.

    A reply without such a statement is the answer as a whole; where limits on steps are set, an
    answer round follows instead.
    """

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        if reason := cut_short(finish):
            return self._whole(tokens, reason)
        stated = states_final(self.paragraph.text)
        spoken = self.spoken(tokens)
        if self.owed or not (stated or finish is Finish.STOP):
            return self._step(spoken)
        if stated:
            path = extended(decided(self.path, Decision.END), tokens)
            text = self.vocabulary.detokenize([token.id for token in tokens]).strip()
            return finished(path, text, len(tokens), FinishReason.STOP)
        if self.limits.min_steps or self.limits.max_steps is not None:
            path = decided(self._step(spoken), Decision.END)
            return path.model_copy(update={"phase": Phase.ANSWER})
        return self._whole(tokens, FinishReason.STOP)

    def _step(self, tokens: Sequence[Token]) -> Path:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        text = self.vocabulary.detokenize([token.id for token in tokens]).strip()
        step = [tally(Step(text=text), tokens)] if text else []
        steps = (*self.path.steps, *step)
        path = extended(self.path, tokens, steps=steps)
        if not self.was_last(steps):
            return decided(path, Decision.PROCEED)
        path = path.model_copy(update={"phase": Phase.ANSWER, "landed": self.used_up(steps)})
        return decided(path, Decision.END)

    def _whole(self, tokens: Sequence[Token], reason: FinishReason) -> Path:
        """Finish with the whole reply, or everything since the last tool call, as the answer."""
        steps = self.path.steps
        while steps and steps[-1].call is None:
            steps = steps[:-1]
        if not steps:
            path = extended(self.path, tokens, steps=())
            text = self.vocabulary.detokenize(path.tokens).strip()
            return finished(path, text, len(path.tokens), reason)
        later = self.path.steps[len(steps) :]
        path = decided(extended(self.path, tokens, steps=steps), Decision.END)
        spoken = self.vocabulary.detokenize([token.id for token in tokens]).strip()
        text = "\n\n".join([*(step.text for step in later), spoken]).strip()
        written = len(tokens) + sum(step.tokens for step in later)
        return finished(path, text, written, reason)
