"""A vocabulary for models whose own is not available: text is split into pieces of about the length
of tokens.

A piece's id encodes its bytes, so there is no table, and joined pieces always give the text that
was split. The number of pieces estimates the number of tokens.

A server reads control tokens and marks from the text that it is sent. So where text only spells a
mark, a piece without text breaks it, which is sent as a zero-width space.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from reasoner.engine.end_tokens import END_TOKEN_NAMES
from reasoner.engine.text_decoder import decode_text

__all__ = ["TextVocabulary"]

PIECE_PATTERN = re.compile(
    r"[ ]?[^\W\d_]{1,7}|\d|[ ]?[^\w\s]{1,3}|_|[ ]+(?=[ ])|\n+|\s", re.UNICODE
)
CONTROL_PATTERN = re.compile(
    r"<\|[^|<>\s]{1,40}\|?>|<[^|<>\s]{1,40}\|>|<｜[^｜<>]{1,40}｜>|◁/?\w{1,40}▷|</?s>"
    r"|</?(?:seed:)?(?:think|thought|tool_call|tool_response|answer|response)>"
    r"|<(?:seed:[be]os|bos|eos|pad|unk|(?:start|end)_of_(?:turn|utterance))>"
    r"|\[/?(?:INST|THINK|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|BOS|EOS|EOT)\]"
)
"""What servers' vocabularies commonly have as a control token or a mark."""
TEXT_PREFIX, CONTROL_PREFIX, BREAK_PREFIX = b"\x01", b"\x02", b"\x03"
"""The first byte of an id: plain text, control token, or the break of a mark."""
BREAK = int.from_bytes(BREAK_PREFIX, "big")
SENT_BREAK = "\u200b"


class TextVocabulary:
    """Implements `Vocabulary`. `end` is the name of the token that ends a reply."""

    def __init__(self, end: str) -> None:
        self.eos = _encode_piece(CONTROL_PREFIX, end)
        self.bos: int | None = None  # the server adds it
        self.end_tokens: tuple[int, ...] = (self.eos,)
        self.control_tokens = tuple(
            _encode_piece(CONTROL_PREFIX, name) for name in (end, *END_TOKEN_NAMES)
        )

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        if not special:
            return _join([_encode_text(part) for part in self.split_marks(text)])
        tokens, begin = [], 0
        for match in CONTROL_PATTERN.finditer(text):
            tokens += _encode_text(text[begin : match.start()])
            tokens.append(_encode_piece(CONTROL_PREFIX, match[0]))
            begin = match.end()
        return tokens + _encode_text(text[begin:])

    def tokenize_prompt(self, parts: Sequence[str]) -> list[int]:
        return _join([self.tokenize(part) for part in parts])

    def split_marks(self, text: str) -> list[str]:
        cuts = [match.start() + 1 for match in CONTROL_PATTERN.finditer(text)]
        bounds = [0, *cuts, len(text)]
        return [text[begin:end] for begin, end in pairwise(bounds)]

    def text_token_id(self, text: str) -> int:
        """Return the id of the single token that a server sent as this text."""
        return _encode_piece(
            CONTROL_PREFIX if CONTROL_PATTERN.fullmatch(text) else TEXT_PREFIX, text
        )

    def detokenize(self, tokens: Sequence[int], special: bool = False) -> str:
        return decode_text(b"".join(self.piece(token, special) for token in tokens))

    def sent_text(self, tokens: Sequence[int]) -> str:
        """Return the text that is sent to the server for these tokens."""
        breaks = SENT_BREAK.encode()
        return decode_text(
            b"".join(breaks if t == BREAK else self.piece(t, special=True) for t in tokens)
        )

    def piece(self, token: int, special: bool = False) -> bytes:
        data = token.to_bytes((token.bit_length() + 7) // 8, "big")
        return data[1:] if special or data[:1] == TEXT_PREFIX else b""

    def token_id(self, name: str) -> int | None:
        """Return the id of the end token, and None for any other name: which of them are single
        tokens of the model is not known."""
        return self.eos if _encode_piece(CONTROL_PREFIX, name) == self.eos else None

    def is_eog(self, token: int) -> bool:
        return token in self.control_tokens

    def end_replies_at(self, token: int) -> None:
        self.end_tokens = tuple(dict.fromkeys((*self.end_tokens, token)))
        self.control_tokens = tuple(dict.fromkeys((*self.control_tokens, token)))


def _encode_piece(kind: bytes, text: str) -> int:
    return int.from_bytes(kind + text.encode(errors="replace"), "big")


def _encode_text(text: str) -> list[int]:
    return [_encode_piece(TEXT_PREFIX, piece) for piece in _split_pieces(text)]


def _join(parts: list[list[int]]) -> list[int]:
    """Join the tokens of parts, with a break between any two."""
    return [token for part in parts for token in (BREAK, *part)][1:]


def _split_pieces(text: str) -> list[str]:
    """Split a text into pieces whose concatenation is the text."""
    pieces, begin = [], 0
    for match in PIECE_PATTERN.finditer(text):
        if match.start() > begin:  # text that the pattern does not match
            pieces.append(text[begin : match.start()])
        pieces.append(match[0])
        begin = match.end()
    return [*pieces, text[begin:]] if begin < len(text) else pieces
