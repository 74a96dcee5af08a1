"""Text to tokens for training, by the very tokeniser that will read it later: llama.cpp's."""

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reasoner.engine.local.vocabulary import NativeVocabulary
from reasoner.errors import BadModelFile
from reasoner.policy.chat_template import render_prompt
from reasoner.training.vocabulary import CHAT_TEMPLATE, CONTROL_TOKENS
from reasoner.types.problem import Message

__all__ = ["Encoder"]


class Encoder:
    """The vocabulary of a GGUF, without its weights."""

    def __init__(self, path: Path) -> None:
        """Raises BadModelFile when llama.cpp cannot read the file."""
        from reasoner.engine.local.library import load_llama_cpp

        lc = load_llama_cpp()
        settings = lc.llama_model_default_params()
        settings.vocab_only = True
        self._lc = lc
        self._model: Any = lc.llama_model_load_from_file(os.fsencode(path), settings)
        if not self._model:
            raise BadModelFile(f"llama.cpp cannot read the vocabulary of {path}")
        self._vocabulary = NativeVocabulary(self._model)
        self.size = self._vocabulary.size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._vocabulary.close()
        self._lc.llama_model_free(self._model)

    def encode(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text)

    def decode(self, tokens: list[int]) -> str:
        """The text, control tokens by their names."""
        pieces = (self._vocabulary.piece(token, special=True) for token in tokens)
        return b"".join(pieces).decode(errors="replace")

    def encode_prompt(self, question: str) -> list[int]:
        """What the policy reads before it writes, as its chat template says."""
        return self.encode(render_prompt(CHAT_TEMPLATE, [Message(role="user", content=question)]))

    @cached_property
    def control_ids(self) -> dict[str, int]:
        """The control tokens by their bare names: `im_end`, `reasoning_start` …"""
        return {name.strip("<|>"): self.encode(name)[0] for name in CONTROL_TOKENS}
