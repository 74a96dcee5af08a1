"""A round in which the model may call a tool: the call ends the round."""

from collections.abc import Sequence

from reasoner.engine.constraints import FREE, Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import Round, append_tokens, count_tokens
from reasoner.protocol.thought import ThoughtRound
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
        self._decoder = self._new_decoder()
        self._shown_forced = len(opening)

    def constrain(self) -> Constraint:
        if self.call is not None:
            return Halt()
        if self._opening:
            return Force(tuple(self._opening))
        constraint = self._inner.constrain()
        return FREE if isinstance(constraint, Halt) and self._continues_call() else constraint

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
        without_end = [token for token in tokens if not self._vocabulary.is_eog(token.id)]
        if finish is Finish.STOP:
            self.call = self._call_of_turn(without_end)
        if self.call is None or finish not in (Finish.HALT, Finish.STOP):
            self.call = None
            return self._inner.conclude(tokens, finish)
        tokens = without_end
        if self.channel == "reasoning":
            return self._with_opening(self._inner.conclude(tokens, Finish.HALT))
        return self._answer_as_step(tokens)

    def _answer_as_step(self, tokens: Sequence[Token]) -> Trajectory:
        """Return the trajectory with the answer, which calls a tool, as a step; a new reply with a
        block of its own follows the output."""
        text = read_visible_text(self.visible_text(), tokens)["answer"]
        text = f"{self._trajectory.answer}{text}".strip()
        step = count_tokens(Step(text=text, decision=Decision.PROCEED), tokens)
        return append_tokens(
            self._trajectory,
            tokens,
            steps=(*self._trajectory.steps, step),
            phase=Phase.REASONING,
            block_closed=False,
            held_text="",
            answer="",
        )

    def _continues_call(self) -> bool:
        """Whether a call goes on where the inner round would halt, unless it lands softly: a
        call may contain blank lines, and text that looks like an end."""
        inner = self._inner
        landing = isinstance(inner, ThoughtRound) and (inner.soft_stopped or inner.is_loop)
        return not landing and self._style.is_open(self._text.text)

    def _call_of_turn(self, tokens: Sequence[Token]) -> ToolCallRequest | None:
        """Return the call in the whole turn, without the token that ended it."""
        decoder = self._new_decoder()
        text = "".join(decoder.decode(token.id) for token in tokens)
        return self._style.find_call(text, turn_ended=True)

    def _new_decoder(self) -> TokenDecoder:
        return TokenDecoder(lambda token: self._vocabulary.piece(token, special=True))

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
