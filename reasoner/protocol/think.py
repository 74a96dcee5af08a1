"""Reasoning inside a block, such as `<think>` … `</think>`; each paragraph is a step."""

from collections.abc import Mapping, Sequence

from reasoner.engine.capabilities import Capability
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.answer import AnswerRound
from reasoner.protocol.mark_scanner import MarkScanner
from reasoner.protocol.protocol import (
    STEP_INSTRUCTION,
    Round,
    append_tokens,
    build_messages,
    count_tokens,
    finish_trajectory,
)
from reasoner.protocol.thought import ThoughtRound, early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.protocol.visible_text import BlockText, read_visible_text
from reasoner.settings import Limits
from reasoner.types.problem import Message, Problem
from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.trajectory import Decision, Phase, Step, Trajectory

__all__ = ["ThinkProtocol", "ThinkRound"]

CONTINUE_PHRASE = "\n\nWait, "
"""Forced when a model ended its reasoning before `min_steps`."""
BACKTRACK_PHRASE = "Wait, the last step is wrong. Let me do it again."


class ThinkProtocol:
    """For models trained to reason between marks."""

    name = "think"
    required_capabilities: tuple[Capability, ...] = ()

    def __init__(self, vocabulary: Vocabulary, marks: ReasoningMarks) -> None:
        self._vocabulary, self.marks = vocabulary, marks
        self.decision_phrases: Mapping[Decision, str] = {
            Decision.PROCEED: "So",
            Decision.BACKTRACK: BACKTRACK_PHRASE,
            Decision.END: marks.text_to_close.strip(),
        }
        end = vocabulary.token_id(marks.message_end) if marks.message_end else None
        self.ignored_ends: tuple[int, ...] = () if end is None else (end,)

    def messages(self, problem: Problem, think: bool) -> list[Message]:
        """Put the instruction after the question: these models expect no system prompt."""
        if problem.system is not None or not think:
            return build_messages(problem, None)
        question = f"{problem.question}\n\n{STEP_INSTRUCTION}"
        return build_messages(problem.model_copy(update={"question": question}), None)

    def reply_prefix(self, prompt: str, think: bool) -> str:
        """Return the text after which `prompt` ends in exactly one block: an open one, or without
        `think` an empty one."""
        tail = prompt[-400:].rstrip()
        opened = any(tail.endswith(opening) for opening in self.marks.openings)
        if think:
            return "" if opened else self.marks.text_to_open
        if tail.endswith((self.marks.closing, self.marks.text_to_close.strip())):
            return ""
        return self.marks.text_to_close if opened else self.marks.text_of_empty_block

    def round(self, trajectory: Trajectory, limits: Limits, allowance: TokenAllowance) -> Round:
        if trajectory.phase is Phase.REASONING:
            return self._thought(trajectory, limits, allowance)
        closed = trajectory.block_closed or not trajectory.tokens
        prefix = () if closed else self._vocabulary.tokenize(self.marks.text_to_close)
        return AnswerRound(self._vocabulary, trajectory, allowance, prefix=prefix, marks=self.marks)

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
            marks=self.marks,
            prefix=vocabulary.tokenize(prefix) if prefix else (),
        )


class ThinkRound(ThoughtRound):
    """Generates one paragraph of reasoning; an end before `min_steps` is removed again."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        trajectory: Trajectory,
        limits: Limits,
        allowance: TokenAllowance,
        *,
        marks: ReasoningMarks,
        prefix: Sequence[int] = (),
    ) -> None:
        self.marks = marks
        closings = (marks.closing, marks.text_to_close.strip())
        ends = {vocabulary.tokenize(closing)[0] for closing in closings}
        ends.update(vocabulary.end_tokens)
        super().__init__(
            vocabulary, trajectory, limits, allowance, prefix=prefix, ends=sorted(ends)
        )

    def visible_text(self) -> BlockText:
        scanner = MarkScanner(self.marks, inside=True)
        return BlockText(self.vocabulary, scanner, ends_with_block=True)

    def is_over(self) -> bool:
        return not self.block.scanner.inside

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        visible = self.visible_text()
        read = read_visible_text(visible, tokens)
        text, answer = read["reasoning"].strip(), read["answer"]
        if reason := early_finish_reason(finish):
            trajectory = self._with_step(tokens, text, Decision.END)
            return finish_trajectory(trajectory, answer.strip(), 0, reason)
        closed = self.is_over()
        if not closed and finish is not Finish.STOP:
            return self._append_step(tokens, text)
        thought = self._before_end(tokens)
        trajectory = self._with_step(thought, text, Decision.END)
        if len(trajectory.steps) < self.limits.min_steps:
            return self._with_step(thought, text, Decision.PROCEED)
        rest = tokens[len(thought) :] if closed else ()
        held = visible.scanner.held if closed else ""
        return append_tokens(
            trajectory,
            rest,
            phase=Phase.ANSWER,
            block_closed=closed,
            held_text=held,
            answer=answer,
        )

    def _append_step(self, tokens: Sequence[Token], text: str) -> Trajectory:
        """Append a step; after the last step that the limits allow the answer phase begins."""
        trajectory = self._with_step(tokens, text, Decision.PROCEED)
        if not self.must_end(trajectory.steps):
            return trajectory
        trajectory = self._with_step(tokens, text, Decision.END)
        return trajectory.model_copy(
            update={"phase": Phase.ANSWER, "soft_stopped": self.limits_spent(trajectory.steps)}
        )

    def _with_step(self, tokens: Sequence[Token], text: str, decision: Decision) -> Trajectory:
        """Return the trajectory with the paragraph as a step; an empty one adds only its tokens."""
        if not text or not tokens:
            return append_tokens(self.trajectory, tokens, marks=self.marks)
        step = count_tokens(Step(text=text, decision=decision), tokens)
        steps = (*self.trajectory.steps, step)
        return append_tokens(self.trajectory, tokens, steps=steps, marks=self.marks)

    def _before_end(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Return the tokens before the closing mark or the end of the reply."""
        thought = self.without_end_tokens(tokens)
        pieces = [self.vocabulary.piece(token.id, special=True) for token in thought]
        if not self.is_over():
            return thought
        written = b"".join(pieces)
        closing = written.rfind(self.marks.closing.encode())
        written = _without_marks(written[:closing], self.marks)
        while pieces and sum(map(len, pieces)) > len(written):
            pieces.pop()
        return thought[: len(pieces)]


def _without_marks(text: bytes, marks: ReasoningMarks) -> bytes:
    """Return the text without the marks that stand at its end, such as those of a channel."""
    ignored = tuple(mark.encode() for mark in marks.ignored)
    while ignored and text.endswith(ignored):
        text = text[: -max(len(mark) for mark in ignored if text.endswith(mark))]
    return text
