"""The protocol for models without step marks: each paragraph is a step, until one states the final
answer."""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.mark_scanner import MarkScanner
from reasoner.protocol.marks import KNOWN_MARKS
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
from reasoner.protocol.think import ThinkProtocol, ThinkRound
from reasoner.protocol.thought import ThoughtRound, early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.protocol.unannounced import UnannouncedRound
from reasoner.protocol.visible_text import BlockText, read_visible_text
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
    ignored_ends: tuple[int, ...] = ()
    decision_phrases: Mapping[Decision, str] = {
        Decision.PROCEED: "Next,",
        Decision.BACKTRACK: BACKTRACK_PHRASE,
        Decision.END: ANSWER_PHRASE,
    }

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._possible_marks = tuple(
            marks for marks in KNOWN_MARKS if vocabulary.token_id(marks.closing) is not None
        )
        """Those whose end is a token of the vocabulary, so that the model may write it."""

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        return build_messages(problem, STEP_INSTRUCTION if think else None)

    def reply_prefix(self, prompt: str, think: bool) -> str:
        return ""

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        if trajectory.marks is not None:
            return ThinkProtocol(self._vocabulary, trajectory.marks).round(
                trajectory, limits, allowance
            )
        if trajectory.phase is Phase.REASONING:
            return self._thought(trajectory, limits, allowance)
        landing = self._landing(trajectory, allowance.answer_tokens)
        return AnswerRound(
            self._vocabulary,
            trajectory,
            allowance,
            prefix=landing,
            prompt=ANSWER_PHRASE if landing else "",
            short=bool(trajectory.steps),
            start_marks=() if trajectory.tokens else KNOWN_MARKS,
            closing_marks=self._possible_marks,
        )

    def _landing(self, trajectory: Trajectory, answer_tokens: int) -> list[int]:
        """Return the tokens that ask for the answer after steps; none where the allowance of
        `answer_tokens` is too small for them and an answer.

        A model whose vocabulary has the end of a block may be inside one that it never opened.
        """
        if not trajectory.steps:
            return []
        closing = "".join(marks.text_to_close for marks in self._possible_marks[:1])
        for text in (f"{closing}{ANSWER_PHRASE}", ANSWER_PHRASE):
            tokens = self._on_new_line(trajectory, text)
            if 2 * len(tokens) <= answer_tokens:
                return tokens
        return []

    def _thought(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        """Return the round of a paragraph; the first one may turn out to open a block."""
        vocabulary = self._vocabulary
        paragraph = PlainRound(
            vocabulary,
            trajectory,
            limits,
            allowance,
            prefix=self._continuation(trajectory),
            ends=vocabulary.end_tokens,
        )
        return UnannouncedRound(
            vocabulary,
            paragraph,
            lambda marks: ThinkRound(vocabulary, trajectory, limits, allowance, marks=marks),
            start_marks=() if trajectory.tokens else KNOWN_MARKS,
            closing_marks=self._possible_marks,
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
        count = sum(step.call is None and step.forced > 0 for step in trajectory.steps)
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

    def visible_text(self) -> BlockText:
        return BlockText(self.vocabulary, MarkScanner(None, outer="reasoning"))

    def is_over(self) -> bool:
        return states_final(self.paragraph.text, line_ended=True)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        if reason := early_finish_reason(finish):
            return self._finish_with_whole_reply(tokens, reason)
        stated = states_final(self.paragraph.text)
        spoken = self.without_end_tokens(tokens)
        if self.below_min_steps or not (stated or finish is Finish.STOP):
            return self._step(spoken)
        if stated:
            trajectory = append_tokens(decide_last_step(self.trajectory, Decision.END), tokens)
            text = self._read(tokens)
            return finish_trajectory(trajectory, text, len(tokens), FinishReason.STOP)
        if self.limits.min_steps or self.limits.max_steps is not None:
            trajectory = decide_last_step(self._step(spoken), Decision.END)
            return trajectory.model_copy(update={"phase": Phase.ANSWER})
        return self._finish_with_whole_reply(tokens, FinishReason.STOP)

    def _read(self, tokens: Sequence[Token]) -> str:
        return read_visible_text(self.visible_text(), tokens)["reasoning"].strip()

    def _step(self, tokens: Sequence[Token]) -> Trajectory:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        text = self._read(tokens)
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
        if not steps and not any(step.forced for step in self.trajectory.steps):
            trajectory = append_tokens(self.trajectory, tokens, steps=())
            text = self.vocabulary.detokenize(trajectory.tokens).strip()
            return finish_trajectory(trajectory, text, len(trajectory.tokens), reason)
        later = self.trajectory.steps[len(steps) :]
        trajectory = decide_last_step(
            append_tokens(self.trajectory, tokens, steps=steps), Decision.END
        )
        spoken = self._read(tokens)
        text = "\n\n".join([*(step.text for step in later), spoken]).strip()
        written = len(tokens) + sum(step.tokens for step in later)
        return finish_trajectory(trajectory, text, written, reason)
