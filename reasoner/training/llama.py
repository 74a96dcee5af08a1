"""A small Llama in PyTorch with the layout of llama.cpp: interleaved rotary positions,
grouped-query attention, SwiGLU, tied embeddings."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from reasoner.training.shape import ModelShape

__all__ = ["KeyValueCache", "Llama"]

KeyValueCache = list[tuple[Tensor, Tensor]]
"""Keys and values (batch, kv heads, positions, head) of each layer."""


class Llama(nn.Module):
    """Maps tokens (batch, length) to hidden states (batch, length, width)."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.register_buffer("rotations", _rotations(shape), persistent=False)
        self.apply(_initialise)

    def forward(
        self, tokens: Tensor, cache: KeyValueCache | None = None, position: int = 0
    ) -> Tensor:
        """Return the hidden states. With a `cache`, `tokens` are those from `position` on: any
        number of them at position 0, one elsewhere."""
        rotations = self.rotations[position : position + tokens.shape[1]]
        states = self.embed(tokens)
        for index, block in enumerate(self.blocks):
            states = block(states, rotations, None if cache is None else cache[index], position)
        return self.norm(states)

    def logits(self, states: Tensor) -> Tensor:
        """Map hidden states (…, width) to logits (…, vocabulary)."""
        return fn.linear(states, self.embed.weight)

    def new_cache(self, batch: int, length: int) -> KeyValueCache:
        """Return an empty cache for `length` positions of `batch` sequences."""
        shape = self.shape
        size = (batch, shape.kv_heads, length, shape.head)
        dtype = self.embed.weight.dtype
        return [
            (torch.zeros(size, dtype=dtype), torch.zeros(size, dtype=dtype)) for _ in self.blocks
        ]


class _Block(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        width, kv_width = shape.width, shape.kv_heads * shape.head
        self.attn_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.attn_q = nn.Linear(width, width, bias=False)
        self.attn_k = nn.Linear(width, kv_width, bias=False)
        self.attn_v = nn.Linear(width, kv_width, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.ffn_gate = nn.Linear(width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, width, bias=False)

    def forward(
        self, states: Tensor, rotations: Tensor, cache: tuple[Tensor, Tensor] | None, position: int
    ) -> Tensor:
        states = states + self._attend(self.attn_norm(states), rotations, cache, position)
        inner = self.ffn_norm(states)
        return states + self.ffn_down(fn.silu(self.ffn_gate(inner)) * self.ffn_up(inner))

    def _attend(
        self, inner: Tensor, rotations: Tensor, cache: tuple[Tensor, Tensor] | None, position: int
    ) -> Tensor:
        query = _rotated(self._split(self.attn_q(inner)), rotations)
        key = _rotated(self._split(self.attn_k(inner)), rotations)
        value = self._split(self.attn_v(inner))
        if cache is not None:
            end = position + key.shape[2]
            cache[0][:, :, position:end], cache[1][:, :, position:end] = key, value
            key, value = (part[:, :, :end] for part in cache)
        repeat = self.shape.heads // self.shape.kv_heads
        if query.shape[2] == 1:  # heads that share keys become rows of one query, without copies
            query = query[:, :, 0].unflatten(1, (-1, repeat))
            mixed = fn.scaled_dot_product_attention(query, key, value).flatten(1)[:, None]
            return self.attn_output(mixed)
        key, value = (part.repeat_interleave(repeat, 1) for part in (key, value))
        mixed = fn.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.attn_output(mixed.transpose(1, 2).flatten(2))

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (-1, self.shape.head)).transpose(1, 2)


def _rotations(shape: ModelShape) -> Tensor:
    """Return cosine and sine of the angles of each position, (context, 2, head / 2)."""
    frequencies = shape.theta ** (-torch.arange(0, shape.head, 2) / shape.head)
    angles = torch.arange(shape.context)[:, None] * frequencies
    return torch.stack((angles.cos(), angles.sin()), 1)


def _rotated(states: Tensor, rotations: Tensor) -> Tensor:
    """Rotate neighbouring pairs of states, the kind of rotary positions that llama.cpp calls
    normal."""
    cos, sin = rotations[..., 0, :].to(states.dtype), rotations[..., 1, :].to(states.dtype)
    even, odd = states[..., 0::2], states[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def _initialise(module: Any) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
