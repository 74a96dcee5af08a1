"""A vocabulary for models whose own is not available: text is split into pieces of about the length
of tokens.

A piece's id encodes its bytes, so there is no table, and joined pieces always give the text that
was split. The number of pieces estimates the number of tokens.
"""

import re
from collections.abc import Sequence

from reasoner.engine.end_tokens import END_TOKEN_NAMES

__all__ = ["TextVocabulary"]

PIECE_PATTERN = re.compile(
    r"[ ]?[^\W\d_]{1,7}|\d|[ ]?[^\w\s]{1,3}|_|[ ]+(?=[ ])|\n+|\s", re.UNICODE
)
CONTROL_PATTERN = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?think>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]"
)
TEXT_PREFIX, CONTROL_PREFIX = b"\x01", b"\x02"
"""The first byte of an id: plain text or control token."""


class TextVocabulary:
    """Implements `Vocabulary`. `end` is the name of the token that ends a reply."""

    def __init__(self, end: str) -> None:
        self.eos = _encode_piece(CONTROL_PREFIX, end)
        self.bos: int | None = None  # the server adds it
        self.end_tokens = (self.eos,)
        self.control_tokens = tuple(
            _encode_piece(CONTROL_PREFIX, name) for name in (end, *END_TOKEN_NAMES)
        )

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        if not special:
            return [_encode_piece(TEXT_PREFIX, piece) for piece in _split_pieces(text)]
        tokens, begin = [], 0
        for match in CONTROL_PATTERN.finditer(text):
            tokens += [
                _encode_piece(TEXT_PREFIX, piece)
                for piece in _split_pieces(text[begin : match.start()])
            ]
            tokens.append(_encode_piece(CONTROL_PREFIX, match[0]))
            begin = match.end()
        return tokens + [_encode_piece(TEXT_PREFIX, piece) for piece in _split_pieces(text[begin:])]

    def text_token_id(self, text: str) -> int:
        """Return the id of the single token that a server sent as this text."""
        return _encode_piece(
            CONTROL_PREFIX if CONTROL_PATTERN.fullmatch(text) else TEXT_PREFIX, text
        )

    def detokenize(self, tokens: Sequence[int], special: bool = False) -> str:
        return b"".join(self.piece(token, special) for token in tokens).decode(errors="replace")

    def piece(self, token: int, special: bool = False) -> bytes:
        data = token.to_bytes((token.bit_length() + 7) // 8, "big")
        return data[1:] if special or data[:1] == TEXT_PREFIX else b""

    def token_id(self, name: str) -> int | None:
        """Return the id of the end token, and None for any other name: which of them are single
        tokens of the model is not known."""
        return self.eos if _encode_piece(CONTROL_PREFIX, name) == self.eos else None

    def is_eog(self, token: int) -> bool:
        return token in self.control_tokens


def _encode_piece(kind: bytes, text: str) -> int:
    return int.from_bytes(kind + text.encode(errors="replace"), "big")


def _split_pieces(text: str) -> list[str]:
    """Split a text into pieces whose concatenation is the text."""
    pieces, begin = [], 0
    for match in PIECE_PATTERN.finditer(text):
        if match.start() > begin:  # text that the pattern does not match
            pieces.append(text[begin : match.start()])
        pieces.append(match[0])
        begin = match.end()
    return [*pieces, text[begin:]] if begin < len(text) else pieces
