"""A paragraph of a model that may write a block of reasoning which nothing announced."""

from collections.abc import Callable, Sequence

from reasoner.engine.constraints import Constraint
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.mark_scanner import MarkScanner
from reasoner.protocol.protocol import Round
from reasoner.protocol.visible_text import BlockText
from reasoner.types.events import Channel
from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.trajectory import Trajectory

__all__ = ["UnannouncedRound"]


class UnannouncedRound:
    """Is the round `paragraph` until a mark shows that the text is a block of reasoning.

    An opening of `start_marks` at the beginning, or a closing of `closing_marks` anywhere, is such
    a mark. `open_block` returns the round of a block with these marks; it is told of the tokens so
    far.
    """

    channel: Channel = "reasoning"

    def __init__(
        self,
        vocabulary: Vocabulary,
        paragraph: Round,
        open_block: Callable[[ReasoningMarks], Round],
        *,
        start_marks: Sequence[ReasoningMarks] = (),
        closing_marks: Sequence[ReasoningMarks] = (),
    ) -> None:
        self._vocabulary, self._round, self._open_block = vocabulary, paragraph, open_block
        self._start_marks, self._closing_marks = start_marks, closing_marks
        self._block = self.visible_text()
        self._tokens: list[int] = []
        self._decided = False

    def visible_text(self) -> BlockText:
        scanner = MarkScanner(
            None,
            outer="reasoning",
            start_marks=self._start_marks,
            closing_marks=self._closing_marks,
        )
        return BlockText(self._vocabulary, scanner)

    def constrain(self) -> Constraint:
        return self._round.constrain()

    def accept(self, token: int) -> None:
        if not self._decided:
            self._watch_for_marks(token)
        self._round.accept(token)

    def _watch_for_marks(self, token: int) -> None:
        self._block.feed(Token(token, 0.0))
        scanner = self._block.scanner
        self._decided = not scanner.undecided
        if scanner.marks is not None:
            self._round = self._open_block(scanner.marks)
            for earlier in self._tokens:
                self._round.accept(earlier)
        self._tokens.append(token)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        return self._round.conclude(tokens, finish)
