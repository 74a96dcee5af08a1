"""Tiny models to score with: one that knows a right last token, and formats a byte vocabulary
can speak."""

from pathlib import Path
from typing import Any

import numpy as np

from reasoner.models.format import ValueFormat
from reasoner.types.trajectory import Phase
from reasoner.types.trajectory import Trajectory as Thought
from tests.tiny_gguf import CONTROL_TOKENS, LAYERS, WIDTH, write_tiny_gguf

__all__ = ["STEPS", "TAG", "form", "thought", "write_judge"]

TAG = "<|tag|>"
VOCABULARY = 257 + len(CONTROL_TOKENS)
STEPS = tuple(
    f"Step {n}: we take the {n + 3} pens of box {n} and add them to the {n * 7} we had, which "
    f"makes {n * 7 + n + 3} pens, and then we go on with the box after it."
    for n in range(1, 9)
)
"""Eight steps of about 130 tokens."""


def form(name: str = "test", **changes: Any) -> ValueFormat:
    """A text format that reads + against - at the end of a step."""
    fields: dict[str, Any] = {
        "layout": "text",
        "opening": "{question}\n",
        "step": "{step}",
        "good": ("+",),
        "bad": ("-",),
        "aggregation": "min",
    }
    return ValueFormat(name=name, **fields | changes)


def write_judge(path: Path, good: str = "4", bad: str = "5") -> Path:
    """A model whose next token is + after `good` and - after `bad`, whatever stood before.

    Its layers add nothing, so the last hidden state is the last token's embedding, normalised.
    """
    embedding = np.full((VOCABULARY, WIDTH), 0.01, np.float32)
    output = np.zeros((VOCABULARY, WIDTH), np.float32)
    for axis, (said, then) in enumerate(((good, "+"), (bad, "-"))):
        embedding[ord(said), axis] = 1.0
        output[ord(then), axis] = 1.0
    tensors: dict[str, Any] = {"token_embd": embedding, "output": output}
    for layer in range(LAYERS):
        tensors[f"blk.{layer}.attn_output"] = np.zeros((WIDTH, WIDTH), np.float32)
        tensors[f"blk.{layer}.ffn_down"] = np.zeros((WIDTH, 2 * WIDTH), np.float32)
    return write_tiny_gguf(path, tensors=tensors)


def thought(trajectory: Thought, steps: int) -> Thought:
    """The path when it had only so many steps."""
    kept = trajectory.steps[:steps]
    tokens = trajectory.tokens[: sum(step.tokens for step in kept)]
    return trajectory.model_copy(
        update={"steps": kept, "tokens": tokens, "phase": Phase.REASONING, "answer": ""}
    )
