"""The round that generates the answer after the reasoning, in every protocol."""

from collections.abc import Sequence

from reasoner.engine.constraints import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import append_tokens, finish_trajectory
from reasoner.protocol.thought import early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.types.events import Channel
from reasoner.types.trajectory import FinishReason, Trajectory

__all__ = ["AnswerRound"]


class AnswerRound:
    """Generates the answer until the model ends it or its token allowance is used up.

    `prefix` is forced first. With `short` the first blank line after it ends the answer. The
    tokens in `ban` cannot be sampled. `close` is forced when the allowance is used up. End tokens
    are banned until the answer has some text.
    """

    channel: Channel = "answer"

    def __init__(
        self,
        vocabulary: Vocabulary,
        trajectory: Trajectory,
        allowance: TokenAllowance,
        *,
        prefix: Sequence[int] = (),
        short: bool = False,
        ban: Sequence[int] = (),
        close: Sequence[int] = (),
    ) -> None:
        self._vocabulary, self._trajectory = vocabulary, trajectory
        self._prefix, self._close = list(prefix), list(close)
        self._short, self._remaining_tokens = (
            short,
            max(1, allowance.answer_tokens - len(prefix) - len(close)),
        )
        self._text = Paragraph(vocabulary.piece)
        self._ban = Ban(tuple(ban)) if ban else FREE
        self._ban_end = Ban((*ban, *vocabulary.end_tokens))
        self._length_reached = False

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        if self._remaining_tokens <= 0:
            self._length_reached = True
            return Force(tuple(self._close)) if self._close else Halt()
        if self._short and self._text.complete:
            return Halt()
        return self._ban if self._text.text.strip() else self._ban_end

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        elif self._length_reached:
            del self._close[0]
        else:
            self._remaining_tokens -= 1
            self._text.add(token)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        trajectory = append_tokens(self._trajectory, tokens)
        text = self._vocabulary.detokenize([token.id for token in tokens]).strip()
        return finish_trajectory(trajectory, text, len(tokens), self._reason(finish))

    def _reason(self, finish: Finish) -> FinishReason:
        return early_finish_reason(finish) or (
            FinishReason.LENGTH if self._length_reached else FinishReason.STOP
        )
