"""Random-weight models of architectures whose sequences cannot be cut anywhere: recurrent (mamba),
hybrid (lfm2, qwen3next) and with sliding windows (gemma3)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.tiny_gguf import CHATML, add_vocabulary

__all__ = ["ARCHITECTURES", "RECURRENT", "WINDOW", "write_recurrent_gguf"]

WIDTH, HIDDEN, HEAD, STATE, CONV = 64, 96, 32, 16, 4
LAYERS, EXPERTS = 4, 4
WINDOW = 24
"""Tokens that the sliding-window layers attend to."""


def write_recurrent_gguf(
    path: Path,
    arch: str,
    *,
    seed: int = 0,
    extra_tokens: Sequence[str] = (),
    n_ctx_train: int = 4096,
    state_size: int = STATE,
    spread: float = 0.3,
) -> Path:
    """Write a model of one of ARCHITECTURES to `path` and return it.

    `state_size` scales the recurrent state of mamba and qwen3next, and `spread` the weights. The
    same arguments give the same bytes.
    """
    import gguf

    writer = gguf.GGUFWriter(path, arch)
    writer.add_name(f"tiny {arch}")
    size = add_vocabulary(writer, extra_tokens)
    writer.add_chat_template(CHATML)
    writer.add_context_length(n_ctx_train)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_layer_norm_rms_eps(1e-5)
    weights = _Weights(writer, seed, spread)
    weights.matrix("token_embd", size, WIDTH)
    weights.norm("token_embd_norm" if arch == "lfm2" else "output_norm", WIDTH)
    if arch != "lfm2":
        weights.matrix("output", size, WIDTH)
    ARCHITECTURES[arch](writer, weights, state_size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class _Weights:
    """Adds tensors of random numbers, or of ones, to a file."""

    def __init__(self, writer: Any, seed: int, spread: float) -> None:
        import numpy as np

        self._writer, self._spread, self._numpy = writer, spread, np
        self._random = np.random.default_rng(seed)

    def matrix(self, name: str, *shape: int, suffix: str = ".weight") -> None:
        """Half precision, with `spread` as the standard deviation."""
        weights = self._random.standard_normal(shape) * self._spread
        self._writer.add_tensor(name + suffix, weights.astype(self._numpy.float16))

    def vector(self, name: str, *shape: int, suffix: str = ".weight") -> None:
        """As a matrix, in single precision."""
        weights = self._random.standard_normal(shape) * self._spread
        self._writer.add_tensor(name + suffix, weights.astype(self._numpy.float32))

    def norm(self, name: str, *shape: int) -> None:
        """Ones, which a normalisation multiplies with."""
        self.constant(f"{name}.weight", 1.0, *shape)

    def constant(self, name: str, value: float, *shape: int) -> None:
        self._writer.add_tensor(name, self._numpy.full(shape, value, self._numpy.float32))

    def attention(self, block: str, query: int = WIDTH, norms: bool = True) -> None:
        """An attention layer with one key and value head, and a `query` projection that wide."""
        self.matrix(f"{block}.attn_q", query, WIDTH)
        self.matrix(f"{block}.attn_k", HEAD, WIDTH)
        self.matrix(f"{block}.attn_v", HEAD, WIDTH)
        self.matrix(f"{block}.attn_output", WIDTH, WIDTH)
        if norms:
            self.norm(f"{block}.attn_q_norm", HEAD)
            self.norm(f"{block}.attn_k_norm", HEAD)

    def feed_forward(self, block: str) -> None:
        self.norm(f"{block}.ffn_norm", WIDTH)
        self.matrix(f"{block}.ffn_gate", HIDDEN, WIDTH)
        self.matrix(f"{block}.ffn_up", HIDDEN, WIDTH)
        self.matrix(f"{block}.ffn_down", WIDTH, HIDDEN)


def _add_heads(writer: Any, key_value_heads: int | Sequence[int]) -> None:
    writer.add_head_count(WIDTH // HEAD)
    writer.add_head_count_kv(key_value_heads)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_feed_forward_length(HIDDEN)


def _add_mamba(writer: Any, weights: _Weights, state_size: int) -> None:
    """Selective state spaces in every layer."""
    inner, rank = 2 * WIDTH, 4
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state_size)
    writer.add_ssm_time_step_rank(rank)
    for block in map("blk.{}".format, range(LAYERS)):
        weights.norm(f"{block}.attn_norm", WIDTH)
        weights.matrix(f"{block}.ssm_in", 2 * inner, WIDTH)
        weights.vector(f"{block}.ssm_conv1d", inner, CONV)
        weights.vector(f"{block}.ssm_conv1d", inner, suffix=".bias")
        weights.matrix(f"{block}.ssm_x", rank + 2 * state_size, inner)
        weights.vector(f"{block}.ssm_dt", inner, rank)
        weights.vector(f"{block}.ssm_dt", inner, suffix=".bias")
        weights.constant(f"{block}.ssm_a", -0.05, inner, state_size)
        weights.vector(f"{block}.ssm_d", inner, suffix="")
        weights.matrix(f"{block}.ssm_out", WIDTH, inner)


def _add_lfm2(writer: Any, weights: _Weights, _state_size: int) -> None:
    """Short convolutions, and attention in every second layer."""
    _add_heads(writer, [layer % 2 for layer in range(LAYERS)])
    writer.add_shortconv_l_cache(CONV)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        weights.norm(f"{block}.attn_norm", WIDTH)
        if layer % 2:
            weights.attention(block)
        else:
            weights.vector(f"{block}.shortconv.conv", WIDTH, CONV)
            weights.matrix(f"{block}.shortconv.in_proj", 3 * WIDTH, WIDTH)
            weights.matrix(f"{block}.shortconv.out_proj", WIDTH, WIDTH)
        weights.feed_forward(block)


def _add_qwen3next(writer: Any, weights: _Weights, state_size: int) -> None:
    """Gated delta nets, gated attention in every second layer, and experts."""
    heads = 2
    inner = heads * state_size
    _add_heads(writer, 1)
    writer.add_ssm_conv_kernel(CONV)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state_size)
    writer.add_ssm_time_step_rank(heads)
    writer.add_ssm_group_count(heads)
    writer.add_full_attention_interval(2)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(EXPERTS)  # a choice among them would flip on rounding
    writer.add_expert_feed_forward_length(HIDDEN)
    writer.add_expert_shared_feed_forward_length(HIDDEN)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        weights.norm(f"{block}.attn_norm", WIDTH)
        weights.norm(f"{block}.post_attention_norm", WIDTH)
        if layer % 2:
            weights.attention(block, query=2 * WIDTH)
        else:
            weights.matrix(f"{block}.attn_qkv", 3 * inner, WIDTH)
            weights.matrix(f"{block}.attn_gate", inner, WIDTH)
            weights.vector(f"{block}.ssm_conv1d", 3 * inner, CONV)
            weights.vector(f"{block}.ssm_dt", heads, suffix=".bias")
            weights.constant(f"{block}.ssm_a", -0.1, heads)
            weights.matrix(f"{block}.ssm_ba", 2 * heads, WIDTH)
            weights.norm(f"{block}.ssm_norm", state_size)
            weights.matrix(f"{block}.ssm_out", WIDTH, inner)
        _add_experts(weights, block)


def _add_experts(weights: _Weights, block: str) -> None:
    weights.matrix(f"{block}.ffn_gate_inp", EXPERTS, WIDTH)
    weights.matrix(f"{block}.ffn_gate_exps", EXPERTS, HIDDEN, WIDTH)
    weights.matrix(f"{block}.ffn_up_exps", EXPERTS, HIDDEN, WIDTH)
    weights.matrix(f"{block}.ffn_down_exps", EXPERTS, WIDTH, HIDDEN)
    weights.vector(f"{block}.ffn_gate_inp_shexp", WIDTH)
    weights.matrix(f"{block}.ffn_gate_shexp", HIDDEN, WIDTH)
    weights.matrix(f"{block}.ffn_up_shexp", HIDDEN, WIDTH)
    weights.matrix(f"{block}.ffn_down_shexp", WIDTH, HIDDEN)


def _add_gemma3(writer: Any, weights: _Weights, _state_size: int) -> None:
    """Attention with a sliding window, in all but the last layer of six."""
    _add_heads(writer, 1)
    writer.add_sliding_window(WINDOW)
    for block in map("blk.{}".format, range(LAYERS)):
        for name in ("attn_norm", "post_attention_norm", "post_ffw_norm"):
            weights.norm(f"{block}.{name}", WIDTH)
        weights.attention(block)
        weights.feed_forward(block)


ARCHITECTURES: dict[str, Callable[[Any, _Weights, int], None]] = {
    "mamba": _add_mamba,
    "lfm2": _add_lfm2,
    "qwen3next": _add_qwen3next,
    "gemma3": _add_gemma3,
}
RECURRENT = ("mamba", "lfm2", "qwen3next")
