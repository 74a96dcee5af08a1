"""A random-weight language model of a few hundred kilobytes that llama.cpp loads and decodes.

Its vocabulary is byte-level, so any text tokenises; what it writes is noise. Tests use it where
the machinery matters and the words do not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "CHATML",
    "CONTROL_TOKENS",
    "STEINER_TOKENS",
    "THINK_CHATML",
    "THINK_TOKENS",
    "add_vocabulary",
    "byte_tokens",
    "write_tiny_gguf",
]

CONTROL_TOKENS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
THINK_TOKENS = ("<think>", "</think>")
STEINER_TOKENS = (
    "<|reasoning_start|>",
    "<|reasoning_end|>",
    "<|reasoning_proceed|>",
    "<|reasoning_backtrack|>",
    *(
        f"<|reasoning_step_{part}{edge}|>"
        for part in ("", "name_", "thought_", "summary_", "reflection_")
        for edge in ("start", "end")
    ),
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINK_CHATML = CHATML.replace(
    "assistant\n{% endif %}",
    "assistant\n{% if enable_thinking is defined and not enable_thinking %}"
    "<think>\n\n</think>\n\n{% endif %}{% endif %}",
)
"""Like Qwen3's: the model opens its block itself, and the template skips it on request."""
LAYERS, WIDTH, HIDDEN, HEAD = 2, 64, 128, 32


def write_tiny_gguf(
    path: Path,
    *,
    arch: str = "llama",
    seed: int = 0,
    extra_tokens: Sequence[str] = (),
    chat_template: str | None = CHATML,
    n_ctx_train: int = 2048,
    name: str = "tiny",
    spread: float = 0.2,
    tensors: Mapping[str, Any] | None = None,
) -> Path:
    """Write the model to `path` and return it.

    `extra_tokens` become control tokens after the three of CONTROL_TOKENS; `spread` is the
    weights' standard deviation (larger: more peaked next-token distributions). `tensors` replaces
    weights by name (`output`, `blk.0.attn_output` …). The same arguments give the same bytes. A
    head is 32 wide, so quantised KV caches work.
    """
    import gguf

    writer = gguf.GGUFWriter(path, arch)
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _add_shape(writer, n_ctx_train)
    vocabulary = add_vocabulary(writer, extra_tokens)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    _add_tensors(writer, vocabulary, seed, spread, tensors or {})
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_shape(writer: Any, n_ctx_train: int) -> None:
    writer.add_context_length(n_ctx_train)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(WIDTH // HEAD)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)


def byte_tokens() -> list[str]:
    """GPT-2's printable stand-ins for the 256 bytes, in byte order."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    shifted = iter(range(256, 512))
    return [chr(byte if byte in printable else next(shifted)) for byte in range(256)]


def add_vocabulary(writer: Any, extra_tokens: Sequence[str]) -> int:
    """Add the tokeniser; return how many tokens it has."""
    import gguf

    plain = [*byte_tokens(), "Ġt"]
    control = [*CONTROL_TOKENS, *extra_tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*plain, *control])
    kinds = [gguf.TokenType.NORMAL] * len(plain) + [gguf.TokenType.CONTROL] * len(control)
    writer.add_token_types(kinds)
    writer.add_token_merges(["Ġ t"])  # llama.cpp wants the key, and the key cannot be empty
    writer.add_bos_token_id(len(plain) + CONTROL_TOKENS.index("<|endoftext|>"))
    writer.add_eos_token_id(len(plain) + CONTROL_TOKENS.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    return len(plain) + len(control)


def _add_tensors(
    writer: Any, vocabulary: int, seed: int, spread: float, given: Mapping[str, Any]
) -> None:
    import numpy as np

    random = np.random.default_rng(seed)

    def add(name: str, *shape: int) -> None:
        weights = random.standard_normal(shape, dtype=np.float32) * spread
        weights = np.asarray(given.get(name, weights)).reshape(shape)
        writer.add_tensor(f"{name}.weight", weights.astype(np.float16))

    def add_norm(name: str) -> None:
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, dtype=np.float32))

    add("token_embd", vocabulary, WIDTH)
    add("output", vocabulary, WIDTH)
    add_norm("output_norm")
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        add_norm(f"{block}.attn_norm")
        add_norm(f"{block}.ffn_norm")
        add(f"{block}.attn_q", WIDTH, WIDTH)
        add(f"{block}.attn_k", HEAD, WIDTH)
        add(f"{block}.attn_v", HEAD, WIDTH)
        add(f"{block}.attn_output", WIDTH, WIDTH)
        add(f"{block}.ffn_gate", HIDDEN, WIDTH)
        add(f"{block}.ffn_up", HIDDEN, WIDTH)
        add(f"{block}.ffn_down", WIDTH, HIDDEN)
