"""Composes each batch: decoding sequences first, then chunks of the prompts being prefilled."""

from math import ceil

from reasoner.engine.local.chunk import Chunk, fit_chunk
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prefix_cache import Sequence
from reasoner.engine.local.request import PrefillRequest

__all__ = ["MAX_DECODE_TOKENS", "BatchPlanner"]

STALL_SECONDS = 0.15
"""Seconds for which a prefill chunk may delay the decoding sequences. The duration of their own
step is the limit where it is longer."""
MAX_DECODE_TOKENS = 16
"""A sequence with at most this many remaining tokens is decoding, one with more is prefilled."""

ATTENTION_TILE_TOKENS = 64
"""From this many tokens on llama.cpp's CPU attention works in tiles, and a tile with tokens of
many sequences reads the cells of all of them. Decoding sequences are therefore split into smaller
batches and prompts get batches of their own: beside 57 decoding sequences 32 prompt tokens took
2.5 s, in a batch of their own 1.8 s (1.5B model, Q4_K_M, two cores). Behind 900 tokens a full tile
of a prompt took 0.96 s, one token less 1.3 s."""


class BatchPlanner:
    """Chooses how many tokens each active sequence puts into the next `llama_decode`."""

    def __init__(self, context: LlamaContext) -> None:
        self._context = context
        self._tick_count = 0
        self._share_index = 0
        """Counts the batches that had to be split into shares; selects the next share."""
        self._prefill_rate = 200.0
        """Tokens per second."""
        self._step_seconds = 0.0

    def plan_batch(self, sequences: list[Sequence]) -> list[Chunk]:
        """Return the chunks of the active sequences that form the next batch.

        Hidden states need batches of their own, so requests for them alternate with the others.
        """
        self._tick_count += 1
        max_tokens, max_outputs = self._context.n_batch, self._context.n_outputs
        hidden = [
            s for s in sequences if isinstance(s.request, PrefillRequest) and s.request.hidden
        ]
        others = [s for s in sequences if s not in hidden]
        if hidden and (not others or self._tick_count % 2):
            return _fill_chunks(hidden, max_outputs, max_outputs)
        running = _fill_chunks(
            [s for s in others if s.remaining_tokens <= MAX_DECODE_TOKENS], max_tokens, max_outputs
        )
        decode_tokens = _count_tokens(running)
        prompts = _fill_chunks(
            [s for s in others if s.remaining_tokens > MAX_DECODE_TOKENS],
            min(self._prefill_tokens(decode_tokens), max_tokens - decode_tokens)
            if running
            else max_tokens,
            max_outputs - sum(len(chunk.output_positions()) for chunk in running),
        )
        return running + prompts if self._context.on_gpu else self._next_share(running, prompts)

    def record_duration(self, chunks: list[Chunk], seconds: float) -> None:
        """Record the `seconds` that a decode of these chunks took."""
        count = _count_tokens(chunks)
        if all(chunk.count <= MAX_DECODE_TOKENS for chunk in chunks):
            self._step_seconds = seconds
        elif count >= 32 and seconds > 0:
            self._prefill_rate += 0.3 * (count / seconds - self._prefill_rate)

    def _next_share(self, running: list[Chunk], prompts: list[Chunk]) -> list[Chunk]:
        """Return what a CPU decodes now: everything below a tile, else the next share in turn."""
        if _count_tokens(running) + _count_tokens(prompts) < ATTENTION_TILE_TOKENS:
            return running + prompts
        count = ceil(_count_tokens(running) / (ATTENTION_TILE_TOKENS - 1))
        shares = [running[start::count] for start in range(count)] + ([prompts] if prompts else [])
        self._share_index += 1
        return shares[self._share_index % len(shares)]

    def _prefill_tokens(self, running: int) -> int:
        """Return the prompt tokens that can be prefilled beside `running` decoding tokens within
        the stall limit; a multiple of the tile where a CPU prefills them in their own batch."""
        count = max(32, int(self._prefill_rate * max(STALL_SECONDS, self._step_seconds)))
        apart = not self._context.on_gpu and running + count >= ATTENTION_TILE_TOKENS
        return max(1, count // ATTENTION_TILE_TOKENS) * ATTENTION_TILE_TOKENS if apart else count


def _fill_chunks(sequences: list[Sequence], max_tokens: int, max_outputs: int) -> list[Chunk]:
    """Return chunks of the sequences, in order, up to `max_tokens` tokens and `max_outputs` output
    rows."""
    chunks: list[Chunk] = []
    for sequence in sequences:
        chunk = fit_chunk(sequence, max_tokens, max_outputs)
        if chunk.count <= 0:
            break
        chunks.append(chunk)
        max_tokens -= chunk.count
        max_outputs -= len(chunk.output_positions())
    return chunks


def _count_tokens(chunks: list[Chunk]) -> int:
    return sum(chunk.count for chunk in chunks)
