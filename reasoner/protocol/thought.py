"""What unmarked steps have in common: a paragraph of thought, steered to its end."""

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
"""Characters from which on a step that was written before, word for word, is no coincidence."""


class ThoughtRound:
    """Writes one paragraph: `prefix` is forced first, `over(text)` tells that the reasoning has
    ended in it, and `ends` are the tokens that may not come first while steps are owed."""

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
        """Whether the path still owes steps before it may end."""
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
        """Whether a path of these steps must close its reasoning here: it has used up what it may,
        or goes round in circles."""
        enough = len(steps) >= self.limits.min_steps
        return self.used_up(steps) or (enough and _repeated(steps))

    def used_up(self, steps: Sequence[Step]) -> bool:
        """Whether the budget or the steps that a path may take are spent with these."""
        most = self.limits.max_steps
        landed = self.landed and len(steps) >= self.limits.min_steps
        return landed or (most is not None and len(steps) >= most)

    def spoken(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens without those that end a reply."""
        return [token for token in tokens if not self.vocabulary.is_eog(token.id)]


def _repeated(steps: Sequence[Step]) -> bool:
    """Whether the last step was written before."""
    said = [step.text for step in steps]
    return bool(said) and len(said[-1]) >= REPEATED and said[-1] in said[:-1]


def cut_short(finish: Finish) -> FinishReason | None:
    """Why a round did not come to its own end, or None when it did."""
    reasons = {Finish.CANCELLED: FinishReason.INTERRUPTED, Finish.LENGTH: FinishReason.LENGTH}
    return reasons.get(finish)
