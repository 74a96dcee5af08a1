"""A round in which the model may call a tool: the call ends the round."""

from collections.abc import Sequence

from reasoner.doubt import Doubt
from reasoner.engine.control import Constraint, Force, Halt
from reasoner.engine.engine import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.path import Decision, Path, Phase, Step
from reasoner.protocol.calls import Call, CallStyle
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import Round, extended, tally
from reasoner.tool import ToolCall

__all__ = ["CallingRound", "with_output"]


class CallingRound:
    """Wraps another round and halts it where its text ends in a complete tool call.

    `opening` are tokens that are forced first: the beginning of a call that the model completes.
    `call` is the call once there is one.
    """

    def __init__(
        self,
        inner: Round,
        path: Path,
        style: CallStyle,
        vocabulary: Vocabulary,
        opening: Sequence[int] = (),
    ) -> None:
        self.channel = inner.channel
        self.call: Call | None = None
        self._inner, self._path, self._style = inner, path, style
        self._vocabulary, self._opening = vocabulary, list(opening)
        self._text = Paragraph(lambda token: vocabulary.piece(token, special=True))

    def constrain(self) -> Constraint:
        if self.call is not None:
            return Halt()
        if self._opening:
            return Force(tuple(self._opening))
        return self._inner.constrain()

    def accept(self, token: int) -> None:
        if self._opening:
            del self._opening[0]
        self._inner.accept(token)
        self._text.add(token)
        self.call = self._style.find(self._text.text)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Path:
        """Return the trajectory as the inner round does; an answer with a call becomes a step."""
        if finish is Finish.STOP:
            self.call = self._style.find(self._text.text, over=True)
        if self.call is None or finish not in (Finish.HALT, Finish.STOP):
            self.call = None
            return self._inner.conclude(tokens, finish)
        tokens = [token for token in tokens if not self._vocabulary.is_eog(token.id)]
        if self.channel == "reasoning":
            return self._inner.conclude(tokens, Finish.HALT)
        text = self._vocabulary.detokenize([token.id for token in tokens]).strip()
        step = tally(Step(text=text, decision=Decision.PROCEED), tokens)
        steps = (*self._path.steps, step)
        return extended(self._path, tokens, steps=steps, phase=Phase.REASONING)


def with_output(path: Path, call: ToolCall, tokens: Sequence[int]) -> Path:
    """Return the trajectory with the call in its last step and the tokens of the output after it.

    The output's tokens count as forced tokens of the step.
    """
    step = path.steps[-1]
    count = len(tokens)
    step = step.model_copy(
        update={"call": call, "tokens": step.tokens + count, "forced": step.forced + count}
    )
    longer = path.grown(tuple(tokens), (Doubt(0.0, 0.0),) * count)
    return longer.model_copy(update={"steps": (*path.steps[:-1], step)})
