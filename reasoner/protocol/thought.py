"""The base of rounds whose steps are paragraphs."""

from collections.abc import Sequence

from reasoner.engine.constraints import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.repetition import RepetitionDetector, recent_text
from reasoner.protocol.token_allowance import SoftStop, TokenAllowance
from reasoner.protocol.visible_text import BlockText
from reasoner.settings import Limits
from reasoner.types.events import Channel
from reasoner.types.trajectory import FinishReason, Step, Trajectory

__all__ = ["ThoughtRound", "early_finish_reason"]

MIN_REPEATED_CHARS = 32
"""A step of at least this many characters that repeats an earlier one is no coincidence."""


class ThoughtRound:
    """Generates one paragraph of reasoning.

    `prefix` is forced first and is not part of the text; `ends` are tokens that are banned at the
    beginning while `min_steps` is not reached. `soft_stopped` states that a soft stop ended the
    reasoning.
    """

    channel: Channel = "reasoning"

    def __init__(
        self,
        vocabulary: Vocabulary,
        trajectory: Trajectory,
        limits: Limits,
        allowance: TokenAllowance,
        *,
        prefix: Sequence[int],
        ends: Sequence[int],
    ) -> None:
        self.vocabulary, self.trajectory, self.limits = vocabulary, trajectory, limits
        self.block = self.visible_text()
        self.paragraph = Paragraph()
        self.soft_stopped = False
        self._soft_stop = SoftStop(allowance, trajectory.reasoning_tokens)
        self._repetition = RepetitionDetector(recent_text(trajectory.steps))
        self._prefix = list(prefix)
        self._ban_end = Ban(tuple(ends))

    @property
    def below_min_steps(self) -> bool:
        """Whether the trajectory has fewer than `min_steps` steps."""
        return len(self.trajectory.steps) < self.limits.min_steps

    @property
    def is_loop(self) -> bool:
        """Whether the reasoning goes in circles, and so ends after this sentence."""
        return self._repetition.is_loop

    def visible_text(self) -> BlockText:
        raise NotImplementedError

    def is_over(self) -> bool:
        """Whether the reasoning has ended in the text so far."""
        raise NotImplementedError

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        text = self.paragraph.text
        if self.is_over():
            return Halt()
        if self.soft_stopped or self._soft_stop.must_stop(text):
            self.soft_stopped = not self.is_loop
            return Halt()
        if self.paragraph.complete:
            return Halt()
        return self._ban_end if self.below_min_steps and not text.strip() else FREE

    def accept(self, token: int) -> None:
        self._soft_stop.count_token()
        if self._prefix:
            del self._prefix[0]
            return
        for channel, text in self.block.feed(Token(token, 0.0)):
            if channel == "reasoning":
                self.paragraph.add(text)
                self._repetition.add(text)
        if self.is_loop:
            self._soft_stop.stop()

    def must_end(self, steps: Sequence[Step]) -> bool:
        """Whether the reasoning must end after these steps: the limits are reached, the
        reasoning goes in circles, or the last step repeats an earlier one."""
        enough = len(steps) >= self.limits.min_steps
        return self.limits_spent(steps) or (
            enough and (self.is_loop or _repeats_earlier_step(steps))
        )

    def limits_spent(self, steps: Sequence[Step]) -> bool:
        """Whether these steps reach the token budget or the maximum number of steps."""
        limit = self.limits.max_steps
        budget_spent = self.soft_stopped and len(steps) >= self.limits.min_steps
        return budget_spent or (limit is not None and len(steps) >= limit)

    def without_end_tokens(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens without those that end a reply."""
        return [token for token in tokens if not self.vocabulary.is_eog(token.id)]


def _repeats_earlier_step(steps: Sequence[Step]) -> bool:
    """Whether the last step repeats an earlier one word for word."""
    texts = [step.text for step in steps]
    return bool(texts) and len(texts[-1]) >= MIN_REPEATED_CHARS and texts[-1] in texts[:-1]


def early_finish_reason(finish: Finish) -> FinishReason | None:
    """Return why a round was cancelled or cut at its token limit, or None for any other end."""
    reasons = {Finish.CANCELLED: FinishReason.INTERRUPTED, Finish.LENGTH: FinishReason.LENGTH}
    return reasons.get(finish)
