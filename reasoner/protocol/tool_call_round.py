"""A round in which the model may call a tool: the call ends the round."""

from collections.abc import Sequence

from reasoner.engine.constraints import Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import Round, append_tokens, count_tokens
from reasoner.protocol.token_decoder import TokenDecoder
from reasoner.protocol.tool_call_styles import ToolCallRequest, ToolCallStyle
from reasoner.protocol.visible_text import BlockText, VisibleText, read_visible_text
from reasoner.types.token_statistics import TokenStatistics
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import Decision, Phase, Step, Trajectory

__all__ = ["ToolCallRound", "append_tool_output"]


class ToolCallRound:
    """Wraps another round and halts it where its text ends in a complete tool call.

    `opening` are tokens that are forced first: the beginning of a call that the model completes.
    `call` is the call once there is one.
    """

    def __init__(
        self,
        inner: Round,
        trajectory: Trajectory,
        style: ToolCallStyle,
        vocabulary: Vocabulary,
        opening: Sequence[int] = (),
    ) -> None:
        self.channel = inner.channel
        self.call: ToolCallRequest | None = None
        self._inner, self._trajectory, self._style = inner, trajectory, style
        self._vocabulary, self._opening = vocabulary, list(opening)
        self._text = Paragraph()
        self._decoder = TokenDecoder(lambda token: vocabulary.piece(token, special=True))
        self._shown_forced = len(opening)

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
        self._text.add(self._decoder.decode(token))
        self.call = self._style.find_call(self._text.text)

    def visible_text(self) -> VisibleText:
        visible = self._inner.visible_text()
        if isinstance(visible, BlockText):
            visible.show_forced(self._shown_forced)
        return visible

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        """Return the trajectory as the inner round does; an answer with a call becomes a step."""
        if finish is Finish.STOP:
            self.call = self._style.find_call(self._text.text, turn_ended=True)
        if self.call is None or finish not in (Finish.HALT, Finish.STOP):
            self.call = None
            return self._inner.conclude(tokens, finish)
        tokens = [token for token in tokens if not self._vocabulary.is_eog(token.id)]
        if self.channel == "reasoning":
            return self._with_opening(self._inner.conclude(tokens, Finish.HALT))
        text = read_visible_text(self.visible_text(), tokens)["answer"].strip()
        step = count_tokens(Step(text=text, decision=Decision.PROCEED), tokens)
        steps = (*self._trajectory.steps, step)
        return append_tokens(self._trajectory, tokens, steps=steps, phase=Phase.REASONING)

    def _with_opening(self, trajectory: Trajectory) -> Trajectory:
        """Return the trajectory whose last step shows the forced beginning of the call, too."""
        if not self._shown_forced or not trajectory.steps:
            return trajectory
        last = trajectory.steps[-1]
        shown = last.model_copy(update={"text": f"{self._style.call_prefix}{last.text}"})
        return trajectory.model_copy(update={"steps": (*trajectory.steps[:-1], shown)})


def append_tool_output(trajectory: Trajectory, call: ToolCall, tokens: Sequence[int]) -> Trajectory:
    """Return the trajectory with the call in its last step and the tokens of the output after it.

    The output's tokens count as forced tokens of the step.
    """
    step = trajectory.steps[-1]
    count = len(tokens)
    step = step.model_copy(
        update={"call": call, "tokens": step.tokens + count, "forced": step.forced + count}
    )
    longer = trajectory.with_tokens(tuple(tokens), (TokenStatistics(0.0, 0.0),) * count)
    return longer.model_copy(update={"steps": (*trajectory.steps[:-1], step)})
