"""A vocabulary for models whose own nobody here can see: text cut into pieces about as long as
tokens are.

A piece's number spells the piece, so there is no table that could grow, and what is joined again
is always the very text that was cut. How many pieces a text has is an estimate of its tokens.
"""

import re
from collections.abc import Sequence

from reasoner.engine.end_tokens import END_NAMES

__all__ = ["WordVocabulary"]

PIECE = re.compile(r"[ ]?[^\W\d_]{1,7}|\d|[ ]?[^\w\s]{1,3}|_|[ ]+(?=[ ])|\n+|\s", re.UNICODE)
CONTROL = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?think>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]"
)
TEXT, MARK = b"\x01", b"\x02"
"""What a number's bytes begin with."""


class WordVocabulary:
    """Meets `Vocabulary`. `end` is the name of the token that ends a reply."""

    def __init__(self, end: str) -> None:
        self.eos = _number(MARK, end)
        self.bos: int | None = None  # the server puts it where it belongs
        self.end_tokens = (self.eos,)
        self.control_tokens = tuple(_number(MARK, name) for name in (end, *END_NAMES))

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        if not special:
            return [_number(TEXT, piece) for piece in _cut(text)]
        found, begin = [], 0
        for match in CONTROL.finditer(text):
            found += [_number(TEXT, piece) for piece in _cut(text[begin : match.start()])]
            found.append(_number(MARK, match[0]))
            begin = match.end()
        return found + [_number(TEXT, piece) for piece in _cut(text[begin:])]

    def received(self, text: str) -> int:
        """The single token that a server sent as this text."""
        return _number(MARK if CONTROL.fullmatch(text) else TEXT, text)

    def detokenize(self, tokens: Sequence[int], special: bool = False) -> str:
        return b"".join(self.piece(token, special) for token in tokens).decode(errors="replace")

    def piece(self, token: int, special: bool = False) -> bytes:
        data = token.to_bytes((token.bit_length() + 7) // 8, "big")
        return data[1:] if special or data[:1] == TEXT else b""

    def token_id(self, name: str) -> int | None:
        """Only the end's: nobody tells which other names are single tokens of the model."""
        return self.eos if _number(MARK, name) == self.eos else None

    def is_eog(self, token: int) -> bool:
        return token in self.control_tokens


def _number(kind: bytes, text: str) -> int:
    return int.from_bytes(kind + text.encode(errors="replace"), "big")


def _cut(text: str) -> list[str]:
    """The pieces of a text; joined they are the text."""
    pieces, begin = [], 0
    for match in PIECE.finditer(text):
        if match.start() > begin:  # what the pattern has no word for
            pieces.append(text[begin : match.start()])
        pieces.append(match[0])
        begin = match.end()
    return [*pieces, text[begin:]] if begin < len(text) else pieces
