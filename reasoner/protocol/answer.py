"""The answer's round: after the reasoning, whatever the protocol."""

from collections.abc import Sequence

from reasoner.engine.control import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.engine import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.events import Channel
from reasoner.path import FinishReason, Path
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import extended, finished
from reasoner.protocol.room import Room
from reasoner.protocol.thought import cut_short

__all__ = ["AnswerRound"]


class AnswerRound:
    """Writes the answer until the model ends it.

    `prefix` is forced first; when `short`, the first blank line after it ends the answer; `ban`
    are tokens that may not occur; `close` is forced when the room is used up. A reply cannot end
    before it has said something.
    """

    channel: Channel = "answer"

    def __init__(
        self,
        vocabulary: Vocabulary,
        path: Path,
        room: Room,
        *,
        prefix: Sequence[int] = (),
        short: bool = False,
        ban: Sequence[int] = (),
        close: Sequence[int] = (),
    ) -> None:
        self._vocabulary, self._path = vocabulary, path
        self._prefix, self._close = list(prefix), list(close)
        self._short, self._left = short, max(1, room.answer - len(prefix) - len(close))
        self._said = Paragraph(vocabulary.piece)
        self._ban = Ban(tuple(ban)) if ban else FREE
        self._ban_end = Ban((*ban, *vocabulary.end_tokens))
        self._full = False

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        if self._left <= 0:
            self._full = True
            return Force(tuple(self._close)) if self._close else Halt()
        if self._short and self._said.complete:
            return Halt()
        return self._ban if self._said.text.strip() else self._ban_end

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        elif self._full:
            del self._close[0]
        else:
            self._left -= 1
            self._said.add(token)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        path = extended(self._path, tokens)
        text = self._vocabulary.detokenize([token.id for token in tokens]).strip()
        return finished(path, text, len(tokens), self._reason(finish))

    def _reason(self, finish: Finish) -> FinishReason:
        return cut_short(finish) or (FinishReason.LENGTH if self._full else FinishReason.STOP)
