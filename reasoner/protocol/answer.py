"""The round that generates the answer after the reasoning, in every protocol."""

from collections.abc import Sequence

from reasoner.engine.constraints import FREE, Ban, Constraint, Force, Halt
from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Finish, Token
from reasoner.protocol.mark_scanner import MarkScanner
from reasoner.protocol.paragraph import Paragraph
from reasoner.protocol.protocol import append_tokens, count_tokens, finish_trajectory
from reasoner.protocol.thought import early_finish_reason
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.protocol.visible_text import BlockText
from reasoner.types.events import Channel
from reasoner.types.reasoning_marks import ReasoningMarks
from reasoner.types.trajectory import Decision, FinishReason, Step, Trajectory

__all__ = ["AnswerRound"]

MIN_ANSWER_TOKENS = 16
"""Tokens that a further block of reasoning leaves for the answer; a quarter of fewer than 64."""


class AnswerRound:
    """Generates the answer until the model ends it or its token allowance is used up.

    `prefix` is forced first and is not part of the answer; `prompt` are its words that ask for one.
    With `short` the first blank line after it ends the answer. The tokens in `ban` cannot be
    sampled. `close` is forced when the allowance is used up. End tokens are banned until the answer
    has some text. A further block between the `marks`, or one of `start_marks` where the reply
    begins with it, is reasoning: it becomes a step, and is closed in time for an answer. A closing
    of `closing_marks` alone shows that the text before it was reasoning.
    """

    channel: Channel = "answer"

    def __init__(
        self,
        vocabulary: Vocabulary,
        trajectory: Trajectory,
        allowance: TokenAllowance,
        *,
        prefix: Sequence[int] = (),
        prompt: str = "",
        short: bool = False,
        ban: Sequence[int] = (),
        close: Sequence[int] = (),
        marks: ReasoningMarks | None = None,
        start_marks: Sequence[ReasoningMarks] = (),
        closing_marks: Sequence[ReasoningMarks] = (),
    ) -> None:
        self._vocabulary, self._trajectory = vocabulary, trajectory
        self._marks = marks
        self._start_marks, self._closing_marks = start_marks, closing_marks
        self._prefix, self._close, self._prompt = list(prefix), list(close), prompt
        self._short, self._remaining_tokens = (
            short,
            max(1, allowance.answer_tokens - len(prefix) - len(close)),
        )
        self._reserve = min(MIN_ANSWER_TOKENS, self._remaining_tokens // 4)
        self._block = self.visible_text()
        self._text = Paragraph()
        self._text.add(trajectory.answer)
        self._ban = Ban(tuple(ban)) if ban else FREE
        self._ban_end = Ban((*ban, *self._opening_tokens(), *vocabulary.end_tokens))
        self._block_closing: list[int] = []
        self._length_reached = False

    def visible_text(self) -> BlockText:
        scanner = MarkScanner(
            self._marks,
            start_marks=self._start_marks,
            closing_marks=self._closing_marks,
            held=self._trajectory.held_text,
        )
        return BlockText(self._vocabulary, scanner)

    def _opening_tokens(self) -> list[int]:
        """The openings of a block that are single tokens: an answer does not begin with one."""
        openings = self._marks.openings if self._marks else ()
        tokens = [self._vocabulary.token_id(opening) for opening in openings]
        return [token for token in tokens if token is not None]

    def constrain(self) -> Constraint:
        if self._prefix:
            return Force(tuple(self._prefix))
        if self._remaining_tokens <= 0:
            self._length_reached = True
            return Force(tuple(self._close)) if self._close else Halt()
        if self._short and self._text.complete:
            return Halt()
        if self._block_closing or self._must_close_block():
            return Force(tuple(self._block_closing))
        return self._ban if self._text.text.strip() else self._ban_end

    def _must_close_block(self) -> bool:
        """Whether a further block has used up its tokens; its closing is then to be forced."""
        scanner = self._block.scanner
        if scanner.marks is None or not scanner.inside or self._remaining_tokens > self._reserve:
            return False
        self._block_closing = self._vocabulary.tokenize(scanner.marks.text_to_close)
        return bool(self._block_closing)

    def accept(self, token: int) -> None:
        if self._prefix:
            del self._prefix[0]
        elif self._length_reached:
            del self._close[0]
        elif self._block_closing:
            del self._block_closing[0]
            if not self._block_closing:
                self._block.scanner.set_outside()
        else:
            self._remaining_tokens -= 1
            unmarked = self._block.scanner.marks is None
            spans = self._block.feed(Token(token, 0.0))
            if unmarked and self._block.scanner.marks is not None:
                self._text = Paragraph()
            for channel, text in spans:
                if channel == "answer":
                    self._text.add(text)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        reasoning, answer = self._read(tokens)
        answer = f"{self._trajectory.answer}{answer}".strip()
        trajectory = append_tokens(self._trajectory, tokens, answer_prompt=self._prompt)
        answer_tokens = len(tokens)
        if thought := reasoning.strip():
            hidden = self._thought_tokens(tokens)
            answer_tokens -= len(hidden)
            step = count_tokens(Step(text=thought, decision=Decision.END), hidden)
            trajectory = trajectory.model_copy(update={"steps": (*trajectory.steps, step)})
        return finish_trajectory(trajectory, answer, answer_tokens, self._reason(finish))

    def _read(self, tokens: Sequence[Token]) -> tuple[str, str]:
        """Return the reasoning in the tokens, and the answer. Where a closing mark alone shows that
        the text was reasoning, so is all the text before it."""
        block = self.visible_text()
        reasoning, answer = "", ""
        for token in [*tokens, None]:
            unmarked = block.scanner.marks is None
            spans = block.close() if token is None else block.feed(token)
            if unmarked and block.scanner.marks is not None:
                reasoning, answer = reasoning + answer, ""
            reasoning += "".join(text for channel, text in spans if channel == "reasoning")
            answer += "".join(text for channel, text in spans if channel == "answer")
        return reasoning, answer

    def _thought_tokens(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens inside further blocks, with the marks that end them."""
        block, hidden = self.visible_text(), []
        for token in tokens:
            inside = block.scanner.inside
            block.feed(token)
            if inside or block.scanner.inside:
                hidden.append(token)
        return hidden

    def _reason(self, finish: Finish) -> FinishReason:
        return early_finish_reason(finish) or (
            FinishReason.LENGTH if self._length_reached else FinishReason.STOP
        )
