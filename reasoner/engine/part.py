"""What one sequence reads in one decode: some of its next tokens, and the rows wanted of them."""

from dataclasses import dataclass

from reasoner.engine.prefix import Sequence
from reasoner.engine.request import Read

__all__ = ["Part", "affordable"]


@dataclass(frozen=True)
class Part:
    """The next `count` unread tokens of a sequence that serves a request."""

    sequence: Sequence
    count: int

    def wanted(self) -> set[int]:
        """The positions among them that need a row of output."""
        begin, request = len(self.sequence.tokens), self.sequence.request
        if isinstance(request, Read):
            span = range(begin, begin + self.count)
            return set(span) if request.hidden else {p for p in span if p in request.positions}
        return {begin + self.count - 1} if self.count == self.sequence.unread else set()

    def entries(self) -> list[tuple[int, int, int, bool]]:
        """Token, position, sequence id and whether a row is wanted, of each."""
        assert self.sequence.request is not None
        begin, wanted = len(self.sequence.tokens), self.wanted()
        tokens = self.sequence.request.tokens[begin : begin + self.count]
        return [
            (token, position, self.sequence.id, position in wanted)
            for position, token in enumerate(tokens, begin)
        ]


def affordable(sequence: Sequence, room: int, rows: int) -> Part:
    """As much of what a sequence has not read as `room` tokens and `rows` rows of output allow;
    perhaps nothing."""
    part = Part(sequence, min(sequence.unread, room))
    wanted = sorted(part.wanted())
    if len(wanted) <= rows:
        return part
    return Part(sequence, wanted[rows] - len(sequence.tokens))
