"""The base of rounds whose steps are paragraphs."""

from collections.abc import Callable, Sequence

from reasoner.engine.control import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.engine import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.events import Channel
from reasoner.path import FinishReason, Path, Step
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.room import Landing, Room
from reasoner.settings import Limits

__all__ = ["ThoughtRound", "cut_short"]

REPEATED = 32
"""A step of at least this many characters that repeats an earlier one is no coincidence."""


class ThoughtRound:
    """Generates one paragraph of reasoning.

    `prefix` is forced first, `over(text)` returns whether the reasoning has ended in the text, and
    `ends` are tokens that are banned at the beginning while `min_steps` is not reached. `landed` is
    set by a soft stop.
    """

    channel: Channel = "reasoning"

    def __init__(
        self,
        vocabulary: Vocabulary,
        path: Path,
        limits: Limits,
        room: Room,
        *,
        prefix: Sequence[int],
        over: Callable[[str], bool],
        ends: Sequence[int],
    ) -> None:
        self.vocabulary, self.path, self.limits = vocabulary, path, limits
        self.paragraph = Paragraph(lambda token: vocabulary.piece(token, special=True))
        self.landed = False
        self._landing = Landing(room, path.reasoning_tokens)
        self._prefix, self._over = list(prefix), over
        self._not_yet = Ban(tuple(ends))

    @property
    def owed(self) -> bool:
        """Whether the trajectory has fewer than `min_steps` steps."""
        return len(self.path.steps) < self.limits.min_steps

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        text = self.paragraph.text
        if self._over(text) or self.paragraph.complete:
            return Halt()
        if self.landed or self._landing.due(text):
            self.landed = True
            return Halt()
        return self._not_yet if self.owed and not text.strip() else FREE

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        self._landing.count()
        self.paragraph.add(token)

    def was_last(self, steps: Sequence[Step]) -> bool:
        """Whether the reasoning must end after these steps: the limits are reached, or the last
        step repeats an earlier one."""
        enough = len(steps) >= self.limits.min_steps
        return self.used_up(steps) or (enough and _repeated(steps))

    def used_up(self, steps: Sequence[Step]) -> bool:
        """Whether these steps reach the token budget or the maximum number of steps."""
        limit = self.limits.max_steps
        landed = self.landed and len(steps) >= self.limits.min_steps
        return landed or (limit is not None and len(steps) >= limit)

    def spoken(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens without those that end a reply."""
        return [token for token in tokens if not self.vocabulary.is_eog(token.id)]


def _repeated(steps: Sequence[Step]) -> bool:
    """Whether the last step repeats an earlier one word for word."""
    texts = [step.text for step in steps]
    return bool(texts) and len(texts[-1]) >= REPEATED and texts[-1] in texts[:-1]


def cut_short(finish: Finish) -> FinishReason | None:
    """Return why a round was cancelled or cut at its token limit, or None for any other end."""
    reasons = {Finish.CANCELLED: FinishReason.INTERRUPTED, Finish.LENGTH: FinishReason.LENGTH}
    return reasons.get(finish)
