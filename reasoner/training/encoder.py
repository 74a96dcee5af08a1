"""Tokenisation for training, by llama.cpp, which also tokenises when the model is used."""

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
    """The vocabulary of a GGUF, loaded without its weights. `size` is the number of tokens."""

    def __init__(self, path: Path) -> None:
        """Load the vocabulary of the file. Raises BadModelFile when llama.cpp cannot read it."""
        from reasoner.engine.local.library import load_llama_cpp

        self._llama_cpp = load_llama_cpp()
        parameters = self._llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self._model: Any = self._llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
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
        self._llama_cpp.llama_model_free(self._model)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text; names of control tokens become those tokens."""
        return self._vocabulary.tokenize(text)

    def decode(self, tokens: list[int]) -> str:
        """Return the text of tokens, with the names of control tokens."""
        pieces = (self._vocabulary.piece(token, special=True) for token in tokens)
        return b"".join(pieces).decode(errors="replace")

    def encode_prompt(self, question: str) -> list[int]:
        """Return the tokens of the prompt for a question, by the chat template."""
        return self.encode(render_prompt(CHAT_TEMPLATE, [Message(role="user", content=question)]))

    @cached_property
    def control_ids(self) -> dict[str, int]:
        """The control tokens by their names without marks: `im_end`, `reasoning_start` …"""
        return {name.strip("<|>"): self.encode(name)[0] for name in CONTROL_TOKENS}
