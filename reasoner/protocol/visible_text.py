"""The text that people see of a round's tokens, in the stream, in steps and in answers alike."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from reasoner.engine.interface import Vocabulary
from reasoner.engine.token import Token
from reasoner.protocol.mark_scanner import MarkScanner, Span
from reasoner.protocol.token_decoder import TokenDecoder
from reasoner.types.events import Channel

__all__ = ["BlockText", "MarkedTokensText", "VisibleText", "read_visible_text"]


class VisibleText(Protocol):
    """Converts the tokens of one round to spans of text, token by token."""

    def feed(self, token: Token) -> list[Span]:
        """Return the text that the token completes."""

    def close(self) -> list[Span]:
        """Return what was held back until the end."""


class MarkedTokensText:
    """The text of a protocol whose marks are tokens: `marks` maps their ids to what is shown."""

    def __init__(self, vocabulary: Vocabulary, channel: Channel, marks: Mapping[int, str]) -> None:
        self._channel, self._marks = channel, marks
        self._decoder = TokenDecoder(vocabulary.piece)

    def feed(self, token: Token) -> list[Span]:
        text = self._decoder.decode(token.id) + self._marks.get(token.id, "")
        return [(self._channel, text)] if text else []

    def close(self) -> list[Span]:
        return []


class BlockText:
    """The text of a protocol with blocks of reasoning: without marks, and without forced text.

    A character that never got all its bytes is not shown. With `ends_with_block` the round ends
    where the block does, and what may begin another mark there is left to the next round.
    """

    def __init__(
        self, vocabulary: Vocabulary, scanner: MarkScanner, *, ends_with_block: bool = False
    ) -> None:
        self.scanner, self._ends_with_block = scanner, ends_with_block
        self._vocabulary, self._shown_forced = vocabulary, 0
        self._decoder = TokenDecoder(self._piece)
        self._forced = ""

    def show_forced(self, count: int) -> None:
        """Show the first `count` forced tokens all the same: the beginning of a tool call, which
        the model completes."""
        self._shown_forced = count

    def feed(self, token: Token) -> list[Span]:
        if token.forced and self._shown_forced <= 0:
            return self._skip_forced(token)
        self._shown_forced -= token.forced
        self._forced = ""
        return self.scanner.feed(self._decoder.decode(token.id))

    def close(self) -> list[Span]:
        closed = self._ends_with_block and not self.scanner.inside
        return [] if closed else self.scanner.close()

    def _skip_forced(self, token: Token) -> list[Span]:
        """Follow the program's own text only for where it closes a block."""
        marks = self.scanner.marks
        if marks is not None and self.scanner.inside:
            piece = self._vocabulary.piece(token.id, special=True)
            self._forced += piece.decode(errors="replace")
            if marks.closing in self._forced:
                self.scanner.set_outside()
        return []

    def _piece(self, token: int) -> bytes:
        """The token's bytes; those of a control token only where it is a part of a mark."""
        if self._vocabulary.is_eog(token):
            return b""
        if piece := self._vocabulary.piece(token):
            return piece
        name = self._vocabulary.piece(token, special=True)
        text = name.decode(errors="replace")
        return name if text and any(text in mark for mark in self._known_marks()) else b""

    def _known_marks(self) -> list[str]:
        scanner = self.scanner
        possible = (*scanner.start_marks, *scanner.closing_marks)
        known = (scanner.marks,) if scanner.marks else possible
        return [mark for marks in known for mark in marks.all]


def read_visible_text(visible: VisibleText, tokens: Sequence[Token]) -> dict[Channel, str]:
    """Return the whole text of a round by channel."""
    spans = [span for token in tokens for span in visible.feed(token)] + visible.close()
    channels: tuple[Channel, ...] = ("reasoning", "answer")
    return {
        channel: "".join(text for kind, text in spans if kind == channel) for channel in channels
    }
