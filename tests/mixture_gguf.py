"""Writes a mixture of experts with random weights, most of whose bytes are experts."""

from pathlib import Path

import numpy as np

from tests.tiny_gguf import CONTROL_TOKENS, byte_tokens

__all__ = ["LAYERS", "write_mixture_gguf"]

LAYERS, WIDTH, HIDDEN, EXPERTS, HEAD = 4, 64, 1024, 8, 32


def write_mixture_gguf(path: Path) -> Path:
    """Write the model to `path` and return it."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(1 << 16)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(WIDTH // HEAD)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(2)
    tokens = [*byte_tokens(), "Ġt", *CONTROL_TOKENS]
    kinds = [gguf.TokenType.NORMAL] * 257 + [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(["Ġ t"])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    random = np.random.default_rng(0)
    for name, shape in _shapes(len(tokens)).items():
        weights = random.standard_normal(shape, np.float32) * 0.1
        kind = np.float32 if len(shape) == 1 or "gate_inp" in name else np.float16
        writer.add_tensor(f"{name}.weight", weights.astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd": (vocabulary, WIDTH),
        "output": (vocabulary, WIDTH),
        "output_norm": (WIDTH,),
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        shapes |= {f"{block}.{norm}": (WIDTH,) for norm in ("attn_norm", "ffn_norm")}
        shapes |= {f"{block}.attn_{name}": (WIDTH, WIDTH) for name in ("q", "output")}
        shapes |= {f"{block}.attn_{name}": (HEAD, WIDTH) for name in ("k", "v")}
        shapes[f"{block}.ffn_gate_inp"] = (EXPERTS, WIDTH)
        shapes |= {f"{block}.ffn_{name}_exps": (EXPERTS, HIDDEN, WIDTH) for name in ("gate", "up")}
        shapes[f"{block}.ffn_down_exps"] = (EXPERTS, WIDTH, HIDDEN)
    return shapes
