"""The share of one sequence in a batch: its next tokens and the output rows they need."""

from dataclasses import dataclass

from reasoner.engine.local.prefix_cache import Sequence
from reasoner.engine.local.request import PrefillRequest

__all__ = ["Chunk", "fit_chunk"]


@dataclass(frozen=True)
class Chunk:
    """The next `count` remaining tokens of a sequence that serves a request."""

    sequence: Sequence
    count: int

    def output_positions(self) -> set[int]:
        """Return the positions of the chunk that need an output row (logits or hidden state)."""
        begin, request = len(self.sequence.tokens), self.sequence.request
        if isinstance(request, PrefillRequest):
            span = range(begin, begin + self.count)
            return set(span) if request.hidden else {p for p in span if p in request.positions}
        return {begin + self.count - 1} if self.count == self.sequence.remaining_tokens else set()

    def entries(self) -> list[tuple[int, int, int, bool]]:
        """Return (token, position, sequence id, needs output) for each token of the chunk."""
        assert self.sequence.request is not None
        begin, positions = len(self.sequence.tokens), self.output_positions()
        tokens = self.sequence.request.tokens[begin : begin + self.count]
        return [
            (token, position, self.sequence.id, position in positions)
            for position, token in enumerate(tokens, begin)
        ]


def fit_chunk(sequence: Sequence, max_tokens: int, max_outputs: int) -> Chunk:
    """Return the longest chunk of a sequence within `max_tokens` tokens and `max_outputs` output
    rows, up to the sequence's next checkpoint.

    Its `count` is 0 where nothing fits.
    """
    if sequence.checkpoints:
        max_tokens = min(max_tokens, sequence.checkpoints[0] - len(sequence.tokens))
    chunk = Chunk(sequence, min(sequence.remaining_tokens, max_tokens))
    positions = sorted(chunk.output_positions())
    if len(positions) <= max_outputs:
        return chunk
    return Chunk(sequence, positions[max_outputs] - len(sequence.tokens))
