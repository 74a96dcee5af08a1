"""The vocabulary of a loaded model: tokenization, detokenization and control tokens.

It is constant data once the model is open, so any thread may use it, also while another decodes.
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

from reasoner.engine.end_tokens import BEGIN_TOKEN_NAMES, END_TOKEN_NAMES
from reasoner.engine.local.model_metadata import has_metadata, integer_metadata
from reasoner.engine.mark_text import is_mark_text
from reasoner.engine.text_decoder import decode_text
from reasoner.errors import EngineError

__all__ = ["NativeVocabulary"]

INITIAL_PIECE_BYTES = 256
UNKNOWN, CONTROL, USER_DEFINED = 1 << 1, 1 << 3, 1 << 4
"""llama.cpp's attributes of tokens that are matched as a whole in a text."""
NEUTRAL_CHARACTER = "\x01"
"""A character that no token joins to others, so that the text after it has tokens of its own."""


class NativeVocabulary:
    """llama.cpp's vocabulary of a loaded model; `close` it before the model is freed."""

    def __init__(self, model: Any) -> None:
        import llama_cpp as lc

        self._lc = lc
        self._vocab = lc.llama_model_get_vocab(model)
        self._pieces: dict[tuple[int, bool], bytes] = {}
        self._template_ends: tuple[int, ...] = ()
        template = lc.llama_model_chat_template(model, None)
        self._template = template.decode(errors="replace") if template else ""
        self._keyed = {
            name: has_metadata(model, f"tokenizer.ggml.{name}_token_id") for name in ("bos", "eos")
        }
        ends = (
            integer_metadata(model, f"tokenizer.ggml.{name}_token_id") for name in ("eot", "eom")
        )
        self.size = int(lc.llama_vocab_n_tokens(self._vocab))
        self._keyed_ends = tuple(t for t in ends if t is not None and 0 <= t < self.size)

    @property
    def pointer(self) -> Any:
        """The native vocabulary. Raises EngineError once the model is closed."""
        if self._vocab is None:
            raise EngineError("the model is closed; open it again to use it")
        return self._vocab

    def close(self) -> None:
        """Drop the native pointer; every later use of it raises EngineError."""
        self._vocab = None

    # -- tokenisation ----------------------------------------------------------------------

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        """Token ids of a text that follows other text: nothing is put before it.

        `special` reads the names of control and user-defined tokens as those tokens; without it
        no mark in the text becomes a token. Raises EngineError when llama.cpp cannot tokenise it.
        """
        parts = [text] if special else self._split_marks(text, special)
        return [token for part in parts for token in self._continuation(part, special)]

    def tokenize_prompt(self, parts: Sequence[str]) -> list[int]:
        """Token ids of a whole prompt, which is all `parts` joined; no token spans two of them.

        As llama.cpp does it for prompts, including the beginning-of-text token where the file asks
        for it, unless the prompt begins with one. Raises EngineError when it cannot be tokenised.
        """
        tokens = self._tokenize(parts[0], True) if parts else []
        for part in parts[1:]:
            tokens += self._after_text(part, True)
        if self.bos is None or not self._lc.llama_vocab_get_add_bos(self.pointer):
            return tokens
        first = next((token for token in tokens if self.piece(token, special=True).strip()), None)
        return tokens if first == self.bos else [self.bos, *tokens]

    def split_marks(self, text: str) -> list[str]:
        """The text in parts of which none contains the name of a token that marks structure."""
        return self._split_marks(text, True)

    def _split_marks(self, text: str, special: bool) -> list[str]:
        """As `split_marks`; without `special`, of a text in which control tokens are not read."""
        parts: list[str] = []
        pending = [text]
        while pending:
            part = pending.pop()
            tokens = {token for token in self._tokenize(part, special) if self._is_mark(token)}
            names = [name for name in map(self._name, tokens) if len(name) > 1 and name in part]
            if not names:
                parts.append(part)
                continue
            cuts = {start + 1 for name in names for start in _occurrences(name, part)}
            bounds = [0, *sorted(cuts), len(part)]
            pending += [part[i:j] for i, j in pairwise(bounds)][::-1]
        return parts

    def _tokenize(self, text: str, special: bool) -> list[int]:
        """What llama.cpp makes of a text that it takes for the beginning of one."""
        data = text.encode(errors="replace")
        size = len(data) + 2
        buffer = (ctypes.c_int32 * size)()
        count = self._lc.llama_tokenize(self.pointer, data, len(data), buffer, size, False, special)
        if count < 0:
            raise EngineError(f"the text of {len(data)} bytes cannot be tokenised")
        return list(buffer[:count])

    def _continuation(self, text: str, special: bool) -> list[int]:
        """The tokens of a text without the blanks that SentencePiece puts at its beginning and
        after each special token."""
        tokens = self._tokenize(text, special)
        if not self._adds_blanks:
            return tokens
        whole = UNKNOWN | CONTROL | USER_DEFINED
        special_tokens = {token for token in tokens if self._attributes(token) & whole}
        names = {self._name(token): token for token in special_tokens}
        names = {name: token for name, token in names.items() if name and name in text}
        if not names:
            return self._after_text(text, special)
        pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        return [
            token
            for run in re.split(f"({pattern})", text)
            for token in ([names[run]] if run in names else self._after_text(run, special))
        ]

    def _after_text(self, text: str, special: bool) -> list[int]:
        """The tokens of a text without a blank at its beginning."""
        if not text or not self._adds_blanks:
            return self._tokenize(text, special)
        head = self._tokenize(NEUTRAL_CHARACTER, special)
        tokens = self._tokenize(NEUTRAL_CHARACTER + text, special)
        is_neutral = tokens[: len(head)] == head
        return tokens[len(head) :] if is_neutral else self._tokenize(text, special)

    @cached_property
    def _adds_blanks(self) -> bool:
        """Whether llama.cpp puts a blank before a text, as SentencePiece vocabularies want it."""
        return self.detokenize(self._tokenize("a", False)) == " a"

    # -- tokens ----------------------------------------------------------------------------

    def piece(self, token: int, special: bool = False) -> bytes:
        """The token's bytes, maybe part of a character; those of control tokens and of tokens that
        end a reply are empty unless `special`."""
        data = self._pieces.get((token, special))
        if data is None:
            data = self._pieces[token, special] = self._read_piece(token, special)
        return data

    def _read_piece(self, token: int, special: bool) -> bytes:
        if not special and self.is_eog(token):
            return b""
        capacity = INITIAL_PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(capacity)
            size = self._lc.llama_token_to_piece(self.pointer, token, buffer, capacity, 0, special)
            if size >= 0:
                return buffer.raw[:size]
            capacity = -size

    def detokenize(self, tokens: Sequence[int], special: bool = False) -> str:
        """The text of the tokens, without a character that they leave unfinished; control tokens
        appear with `special` only."""
        return decode_text(b"".join(self.piece(token, special) for token in tokens))

    def token_id(self, name: str) -> int | None:
        """The single token called `name`, or None when the vocabulary spells it out."""
        tokens = self.tokenize(name)
        return tokens[0] if len(tokens) == 1 else None

    def _attributes(self, token: int) -> int:
        return int(self._lc.llama_vocab_get_attr(self.pointer, token))

    def _name(self, token: int) -> str:
        name: bytes | None = self._lc.llama_vocab_get_text(self.pointer, token)
        return name.decode(errors="replace") if name else ""

    def _is_mark(self, token: int) -> bool:
        """Whether the token marks structure, so that text which spells it must not become it."""
        attributes = self._attributes(token)
        return bool(attributes & (UNKNOWN | CONTROL)) or (
            bool(attributes & USER_DEFINED) and is_mark_text(self._name(token), self._template)
        )

    # -- ends and beginnings ---------------------------------------------------------------

    def is_eog(self, token: int) -> bool:
        """Whether the token ends a reply."""
        if token in self._template_ends:
            return True
        return token != self._assumed_eos and bool(self._lc.llama_vocab_is_eog(self.pointer, token))

    def end_replies_at(self, token: int) -> None:
        """Let `token`, with which a chat template ends the assistant's turns, end replies."""
        self._template_ends = tuple(dict.fromkeys((*self._template_ends, token)))
        self._pieces.pop((token, False), None)

    @cached_property
    def bos(self) -> int | None:
        """The token that begins a text, if the file names one."""
        return self._named_in_file("bos", self._lc.llama_vocab_bos(self.pointer))

    @cached_property
    def eos(self) -> int | None:
        """The token that ends a text, if the file names one."""
        return self._named_in_file("eos", self._lc.llama_vocab_eos(self.pointer))

    def _named_in_file(self, key: str, token: int) -> int | None:
        """The token, unless llama.cpp only assumes it: without a key in the file it takes a number
        by the tokeniser's kind, which may be any token's."""
        names = {"bos": BEGIN_TOKEN_NAMES, "eos": END_TOKEN_NAMES}[key]
        known = token >= 0 and (self._keyed[key] or self._name(token) in names)
        return token if known else None

    @cached_property
    def _assumed_eos(self) -> int | None:
        """The token that llama.cpp takes for the end of a text though the file does not say so."""
        return None if self.eos is not None else int(self._lc.llama_vocab_eos(self.pointer))

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens that end a reply, the file's own first."""
        first = () if self.eos is None else (self.eos,)
        return tuple(dict.fromkeys((*first, *self._template_ends, *self._known_ends)))

    @cached_property
    def _known_ends(self) -> tuple[int, ...]:
        """The end tokens that the file or llama.cpp knows besides the end of a text."""
        lc, vocab = self._lc, self.pointer
        fill = (lc.llama_vocab_fim_pad, lc.llama_vocab_fim_rep, lc.llama_vocab_fim_sep)
        own = [lc.llama_vocab_eot(vocab), *self._keyed_ends, *(token(vocab) for token in fill)]
        named = [token for name in END_TOKEN_NAMES if (token := self.token_id(name)) is not None]
        return tuple(token for token in (*named, *own) if token >= 0 and self.is_eog(token))

    @cached_property
    def control_tokens(self) -> tuple[int, ...]:
        """All control and end-of-generation tokens."""
        is_control, vocab = self._lc.llama_vocab_is_control, self.pointer
        return tuple(t for t in range(self.size) if is_control(vocab, t) or self.is_eog(t))


def _occurrences(name: str, text: str) -> Iterator[int]:
    """The positions of a name in a text, also overlapping ones."""
    position = text.find(name)
    while position >= 0:
        yield position
        position = text.find(name, position + 1)
