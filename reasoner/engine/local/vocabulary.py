"""The vocabulary of a loaded model: tokenization, detokenization and control tokens.

It is constant data, so any thread may use it, also while another one decodes.
"""

import ctypes
from functools import cached_property
from typing import Any

from reasoner.engine.end_tokens import END_TOKEN_NAMES
from reasoner.errors import EngineError

__all__ = ["NativeVocabulary"]

INITIAL_PIECE_BYTES = 256


class NativeVocabulary:
    """llama.cpp's vocabulary of a loaded model; `close` it before the model is freed."""

    def __init__(self, model: Any) -> None:
        import llama_cpp as lc

        self._lc = lc
        self._vocab = lc.llama_model_get_vocab(model)
        self._pieces: dict[tuple[int, bool], bytes] = {}
        self.size = int(lc.llama_vocab_n_tokens(self._vocab))

    @property
    def pointer(self) -> Any:
        """The native vocabulary. Raises EngineError once the model is closed."""
        if self._vocab is None:
            raise EngineError("the model is closed; open it again to use it")
        return self._vocab

    def close(self) -> None:
        """Drop the native pointer; every later use of it raises EngineError."""
        self._vocab = None

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        """Token ids of `text`; `special` reads control tokens' names as those tokens. Raises
        EngineError when llama.cpp cannot tokenise it."""
        data = text.encode(errors="replace")
        size = len(data) + 2
        buffer = (ctypes.c_int32 * size)()
        count = self._lc.llama_tokenize(self.pointer, data, len(data), buffer, size, False, special)
        if count < 0:
            raise EngineError(f"the text of {len(data)} bytes cannot be tokenised")
        return list(buffer[:count])

    def piece(self, token: int, special: bool = False) -> bytes:
        """The token's bytes, maybe part of a character; control tokens are empty unless
        `special`."""
        data = self._pieces.get((token, special))
        if data is None:
            data = self._pieces[token, special] = self._read_piece(token, special)
        return data

    def _read_piece(self, token: int, special: bool) -> bytes:
        capacity = INITIAL_PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(capacity)
            size = self._lc.llama_token_to_piece(self.pointer, token, buffer, capacity, 0, special)
            if size >= 0:
                return buffer.raw[:size]
            capacity = -size

    def token_id(self, name: str) -> int | None:
        """The single token called `name`, or None when the vocabulary spells it out."""
        tokens = self.tokenize(name)
        return tokens[0] if len(tokens) == 1 else None

    def is_eog(self, token: int) -> bool:
        """Whether the token ends a reply."""
        return bool(self._lc.llama_vocab_is_eog(self.pointer, token))

    @cached_property
    def bos(self) -> int | None:
        """The token that begins a text, if there is one."""
        return _optional_token(self._lc.llama_vocab_bos(self.pointer))

    @cached_property
    def eos(self) -> int | None:
        """The token that ends a text, if there is one."""
        return _optional_token(self._lc.llama_vocab_eos(self.pointer))

    @cached_property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens models of this vocabulary end a reply with."""
        named = [self.token_id(name) for name in END_TOKEN_NAMES]
        known = {self.eos, _optional_token(self._lc.llama_vocab_eot(self.pointer)), *named} - {None}
        return tuple(sorted(t for t in known if t is not None and self.is_eog(t)))

    @cached_property
    def control_tokens(self) -> tuple[int, ...]:
        """All control and end-of-generation tokens."""
        is_control, vocab = self._lc.llama_vocab_is_control, self.pointer
        return tuple(t for t in range(self.size) if is_control(vocab, t) or self.is_eog(t))


def _optional_token(token: int) -> int | None:
    return token if token >= 0 else None
