"""Reasoning inside `<think>` … `</think>`, as DeepSeek-R1 and similar models write it.

Each paragraph is a step.
"""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.protocol import (
    STEP_INSTRUCTION,
    Round,
    append_tokens,
    build_messages,
    count_tokens,
    finish_trajectory,
)
from reasoner.protocol.step_format import NO_MARKS
from reasoner.protocol.thought import ThoughtRound, early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.settings import Limits
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Decision, Phase, Step, Trajectory

__all__ = ["ThinkProtocol"]

THINK_START, THINK_END = "<think>", "</think>"
CONTINUE_PHRASE = "\n\nWait, "
"""Forced when a model ended its reasoning before `min_steps`."""
BACKTRACK_PHRASE = "Wait, the last step is wrong. Let me do it again."


class ThinkProtocol:
    """For models trained to reason between tags."""

    name = "think"
    required_capabilities: tuple[Capability, ...] = ()
    token_marks: Mapping[int, str] = NO_MARKS
    decision_phrases: Mapping[Decision, str] = {
        Decision.PROCEED: "So",
        Decision.BACKTRACK: BACKTRACK_PHRASE,
        Decision.END: THINK_END,
    }

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """Put the instruction after the question: these models expect no system prompt."""
        if problem.system is not None or not think:
            return build_messages(problem, None)
        question = f"{problem.question}\n\n{STEP_INSTRUCTION}"
        return build_messages(problem.model_copy(update={"question": question}), None)

    def reply_prefix(self, prompt: str, think: bool) -> str:
        """Return an opening tag, or without `think` an empty block, unless `prompt` ends in it."""
        tail = prompt[-40:].rstrip()
        if not think:
            return "" if tail.endswith(THINK_END) else f"{THINK_START}\n\n{THINK_END}\n\n"
        return "" if tail.endswith(THINK_START) else f"{THINK_START}\n"

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        if trajectory.phase is Phase.REASONING:
            return self._thought(trajectory, limits, allowance)
        tail = self._vocabulary.detokenize(trajectory.tokens[-12:], special=True)
        closed = THINK_END in tail or not trajectory.tokens
        prefix = [] if closed else self._vocabulary.tokenize(f"\n{THINK_END}\n\n")
        tags = (self._vocabulary.token_id(THINK_START), self._vocabulary.token_id(THINK_END))
        ban = tuple(tag for tag in tags if tag is not None)
        return AnswerRound(self._vocabulary, trajectory, allowance, prefix=prefix, ban=ban)

    def _thought(
        self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance
    ) -> "ThinkRound":
        vocabulary = self._vocabulary
        tail = vocabulary.detokenize(trajectory.tokens[-8:])
        after_call = bool(trajectory.steps) and trajectory.steps[-1].call is not None
        stopped = bool(trajectory.tokens) and not after_call and not tail.endswith("\n\n")
        back = bool(trajectory.steps) and trajectory.steps[-1].decision is Decision.BACKTRACK
        gap = "" if tail.endswith("\n\n") else "\n\n"
        prefix = f"{gap}{BACKTRACK_PHRASE}" if back else CONTINUE_PHRASE if stopped else ""
        return ThinkRound(
            vocabulary,
            trajectory,
            limits,
            allowance,
            prefix=vocabulary.tokenize(prefix) if prefix else (),
            over=lambda text: THINK_END in text,
            ends=(*vocabulary.end_tokens, vocabulary.tokenize(THINK_END)[0]),
        )


class ThinkRound(ThoughtRound):
    """Generates one paragraph of reasoning; an end before `min_steps` is removed again."""

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        if reason := early_finish_reason(finish):
            return finish_trajectory(self._with_step(tokens, Decision.END), "", 0, reason)
        closed = THINK_END in self.paragraph.text
        if not closed and finish is not Finish.STOP:
            return self._append_step(tokens)
        thought = self._before_end(tokens)
        trajectory = self._with_step(thought, Decision.END)
        if len(trajectory.steps) < self.limits.min_steps:
            return self._with_step(thought, Decision.PROCEED)
        return append_tokens(
            trajectory, tokens[len(thought) :] if closed else (), phase=Phase.ANSWER
        )

    def _append_step(self, tokens: Sequence[Token]) -> Trajectory:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        trajectory = self._with_step(tokens, Decision.PROCEED)
        if not self.must_end(trajectory.steps):
            return trajectory
        trajectory = self._with_step(tokens, Decision.END)
        return trajectory.model_copy(
            update={"phase": Phase.ANSWER, "soft_stopped": self.limits_spent(trajectory.steps)}
        )

    def _with_step(self, tokens: Sequence[Token], decision: Decision) -> Trajectory:
        """Return the trajectory with the paragraph as a step; an empty one adds only its tokens."""
        text = (
            self.vocabulary.detokenize([token.id for token in tokens]).split(THINK_END)[0].strip()
        )
        if not text or not tokens:
            return append_tokens(self.trajectory, tokens)
        step = count_tokens(Step(text=text, decision=decision), tokens)
        return append_tokens(self.trajectory, tokens, steps=(*self.trajectory.steps, step))

    def _before_end(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Return the tokens before the closing tag or the end of the reply."""
        thought = self.without_end_tokens(tokens)
        while thought and THINK_END in self._text(thought):
            thought.pop()
        while (
            thought
            and THINK_END.startswith(self._text(thought[-1:]).lstrip())
            and self._partial(thought)
        ):
            thought.pop()
        return thought

    def _partial(self, tokens: Sequence[Token]) -> bool:
        """Whether the text ends in the beginning of a closing tag."""
        text = self._text(tokens)
        return any(text.endswith(THINK_END[:size]) for size in range(2, len(THINK_END)))

    def _text(self, tokens: Sequence[Token]) -> str:
        return self.vocabulary.detokenize([token.id for token in tokens], special=True)
