"""A GGUF file with nothing but a vocabulary, and the vocabulary that llama.cpp reads from it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reasoner.engine.local.library import load_llama_cpp
from reasoner.engine.local.vocabulary import NativeVocabulary
from tests.tiny_gguf import byte_tokens

__all__ = ["open_vocabulary", "write_bpe_vocabulary", "write_sentencepiece_vocabulary"]


def write_bpe_vocabulary(
    path: Path,
    *,
    control: Sequence[str] = (),
    user_defined: Sequence[str] = (),
    first: Sequence[str] = (),
    chat_template: str | None = None,
    add_metadata: Callable[[Any], None] = lambda writer: None,
) -> Path:
    """Write a byte-level vocabulary to `path` and return it; the normal tokens `first` come before
    all others."""
    import gguf

    normal = [*first, *(token for token in byte_tokens() if token not in first), "Ġt"]
    kinds = [gguf.TokenType.NORMAL] * len(normal)
    kinds += [gguf.TokenType.CONTROL] * len(control)
    kinds += [gguf.TokenType.USER_DEFINED] * len(user_defined)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_merges(["Ġ t"])
    return _write(
        path, writer, [*normal, *control, *user_defined], kinds, chat_template, add_metadata
    )


def write_sentencepiece_vocabulary(
    path: Path,
    *,
    words: Sequence[str] = (),
    user_defined: Sequence[str] = (),
    add_metadata: Callable[[Any], None] = lambda writer: None,
) -> Path:
    """Write a SentencePiece vocabulary with byte tokens, ASCII and `words` to `path`, return it."""
    import gguf

    ascii_text = [chr(code) for code in range(33, 127)]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = ["<unk>", "<s>", "</s>", *bytes_, "▁", *ascii_text, *words, *user_defined]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256
    kinds += [gguf.TokenType.NORMAL] * (1 + len(ascii_text) + len(words))
    kinds += [gguf.TokenType.USER_DEFINED] * len(user_defined)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_scores([0.0] * len(tokens))
    return _write(path, writer, tokens, kinds, None, add_metadata)


def _write(
    path: Path,
    writer: Any,
    tokens: list[str],
    kinds: list[Any],
    chat_template: str | None,
    add_metadata: Callable[[Any], None],
) -> Path:
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    add_metadata(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@contextmanager
def open_vocabulary(path: Path) -> Iterator[NativeVocabulary]:
    """The vocabulary of the file, without the rest of the model."""
    lc = load_llama_cpp()
    parameters = lc.llama_model_default_params()
    parameters.vocab_only = True
    model = lc.llama_model_load_from_file(os.fsencode(path), parameters)
    assert model
    vocabulary = NativeVocabulary(model)
    try:
        yield vocabulary
    finally:
        vocabulary.close()
        lc.llama_model_free(model)
