"""The protocol for models without step marks: each paragraph is a step, until one states the final
answer."""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.paragraph import states_final
from reasoner.protocol.protocol import (
    STEP_INSTRUCTION,
    Round,
    append_tokens,
    build_messages,
    count_tokens,
    decide_last_step,
    finish_trajectory,
)
from reasoner.protocol.step_format import NO_MARKS
from reasoner.protocol.thought import ThoughtRound, early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.settings import Limits
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Decision, FinishReason, Phase, Step, Trajectory

__all__ = ["PlainProtocol"]

CONTINUE_PHRASES = (
    "Wait, let me check this again.",
    "Let me solve it in another way.",
    "Let me read the question once more.",
)
"""Used in rotation: after the same words a small model generates the same paragraph again."""
BACKTRACK_PHRASE = "Wait, the last step is wrong. Let me do it again."
ANSWER_PHRASE = "Final answer:"


class PlainProtocol:
    """Works with any instruction-tuned model: no special tokens are needed."""

    name = "plain"
    required_capabilities: tuple[Capability, ...] = ()
    token_marks: Mapping[int, str] = NO_MARKS
    decision_phrases: Mapping[Decision, str] = {
        Decision.PROCEED: "Next,",
        Decision.BACKTRACK: BACKTRACK_PHRASE,
        Decision.END: ANSWER_PHRASE,
    }

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        return build_messages(problem, STEP_INSTRUCTION if think else None)

    def reply_prefix(self, prompt: str, think: bool) -> str:
        return ""

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        if trajectory.phase is Phase.REASONING:
            return self._thought(trajectory, limits, allowance)
        prefix = self._on_new_line(trajectory, ANSWER_PHRASE) if trajectory.steps else []
        return AnswerRound(
            self._vocabulary, trajectory, allowance, prefix=prefix, short=bool(trajectory.steps)
        )

    def _thought(
        self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance
    ) -> "PlainRound":
        return PlainRound(
            self._vocabulary,
            trajectory,
            limits,
            allowance,
            prefix=self._continuation(trajectory),
            over=lambda text: states_final(text, line_ended=True),
            ends=self._vocabulary.end_tokens,
        )

    def _continuation(self, trajectory: Trajectory) -> list[int]:
        """Return the tokens that make a model continue which ended before `min_steps`, or redo a
        step that it decided to give up."""
        if not trajectory.steps or trajectory.steps[-1].call is not None:
            return []
        if trajectory.steps[-1].decision is Decision.BACKTRACK:
            return self._on_new_line(trajectory, BACKTRACK_PHRASE)
        ended = not self._tail(trajectory).endswith("\n\n") or states_final(
            trajectory.steps[-1].text
        )
        count = sum(step.text.startswith(CONTINUE_PHRASES) for step in trajectory.steps)
        return (
            self._on_new_line(trajectory, CONTINUE_PHRASES[count % len(CONTINUE_PHRASES)])
            if ended
            else []
        )

    def _on_new_line(self, trajectory: Trajectory, text: str) -> list[int]:
        gap = "" if self._tail(trajectory).endswith("\n\n") else "\n\n"
        return self._vocabulary.tokenize(gap + text)

    def _tail(self, trajectory: Trajectory) -> str:
        return self._vocabulary.detokenize(trajectory.tokens[-8:])


class PlainRound(ThoughtRound):
    """Generates one paragraph; one that states the final answer is the answer, not a step.

    A reply without such a statement is the answer as a whole; where limits on steps are set, an
    answer round follows instead.
    """

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        if reason := early_finish_reason(finish):
            return self._finish_with_whole_reply(tokens, reason)
        stated = states_final(self.paragraph.text)
        spoken = self.without_end_tokens(tokens)
        if self.below_min_steps or not (stated or finish is Finish.STOP):
            return self._step(spoken)
        if stated:
            trajectory = append_tokens(decide_last_step(self.trajectory, Decision.END), tokens)
            text = self.vocabulary.detokenize([token.id for token in tokens]).strip()
            return finish_trajectory(trajectory, text, len(tokens), FinishReason.STOP)
        if self.limits.min_steps or self.limits.max_steps is not None:
            trajectory = decide_last_step(self._step(spoken), Decision.END)
            return trajectory.model_copy(update={"phase": Phase.ANSWER})
        return self._finish_with_whole_reply(tokens, FinishReason.STOP)

    def _step(self, tokens: Sequence[Token]) -> Trajectory:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        text = self.vocabulary.detokenize([token.id for token in tokens]).strip()
        step = [count_tokens(Step(text=text), tokens)] if text else []
        steps = (*self.trajectory.steps, *step)
        trajectory = append_tokens(self.trajectory, tokens, steps=steps)
        if not self.must_end(steps):
            return decide_last_step(trajectory, Decision.PROCEED)
        trajectory = trajectory.model_copy(
            update={"phase": Phase.ANSWER, "soft_stopped": self.limits_spent(steps)}
        )
        return decide_last_step(trajectory, Decision.END)

    def _finish_with_whole_reply(self, tokens: Sequence[Token], reason: FinishReason) -> Trajectory:
        """Finish with the whole reply, or everything since the last tool call, as the answer."""
        steps = self.trajectory.steps
        while steps and steps[-1].call is None:
            steps = steps[:-1]
        if not steps:
            trajectory = append_tokens(self.trajectory, tokens, steps=())
            text = self.vocabulary.detokenize(trajectory.tokens).strip()
            return finish_trajectory(trajectory, text, len(trajectory.tokens), reason)
        later = self.trajectory.steps[len(steps) :]
        trajectory = decide_last_step(
            append_tokens(self.trajectory, tokens, steps=steps), Decision.END
        )
        spoken = self.vocabulary.detokenize([token.id for token in tokens]).strip()
        text = "\n\n".join([*(step.text for step in later), spoken]).strip()
        written = len(tokens) + sum(step.tokens for step in later)
        return finish_trajectory(trajectory, text, written, reason)
