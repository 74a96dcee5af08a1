"""The share of one sequence in a batch: its next tokens and the output rows they need."""

from dataclasses import dataclass

from reasoner.engine.prefix import Sequence
from reasoner.engine.request import Read

__all__ = ["Part", "affordable"]


@dataclass(frozen=True)
class Part:
    """The next `count` remaining tokens of a sequence that serves a request."""

    sequence: Sequence
    count: int

    def wanted(self) -> set[int]:
        """Return the positions of the chunk that need an output row (logits or hidden state)."""
        begin, request = len(self.sequence.tokens), self.sequence.request
        if isinstance(request, Read):
            span = range(begin, begin + self.count)
            return set(span) if request.hidden else {p for p in span if p in request.positions}
        return {begin + self.count - 1} if self.count == self.sequence.unread else set()

    def entries(self) -> list[tuple[int, int, int, bool]]:
        """Return (token, position, sequence id, needs output) for each token of the chunk."""
        assert self.sequence.request is not None
        begin, wanted = len(self.sequence.tokens), self.wanted()
        tokens = self.sequence.request.tokens[begin : begin + self.count]
        return [
            (token, position, self.sequence.id, position in wanted)
            for position, token in enumerate(tokens, begin)
        ]


def affordable(sequence: Sequence, room: int, rows: int) -> Part:
    """Return the longest chunk of a sequence within `room` tokens and `rows` output rows.

    Its `count` is 0 where nothing fits.
    """
    part = Part(sequence, min(sequence.unread, room))
    wanted = sorted(part.wanted())
    if len(wanted) <= rows:
        return part
    return Part(sequence, wanted[rows] - len(sequence.tokens))
