"""Which tokens a value model reads for a path, and where among them each step's score stands."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Sheet"]


@dataclass(frozen=True)
class Sheet:
    """Tokens that only ever grow at their end, so that what was read once is never read again.

    `ends[i]` is how many of `tokens` belong to the first i + 1 steps. `closing` follows the steps
    that are to be scored and is forgotten again. The score stands `back` tokens before the end.
    """

    tokens: tuple[int, ...]
    ends: tuple[int, ...]
    closing: tuple[int, ...] = ()
    back: int = 0

    def prefix(self, step: int) -> tuple[int, ...]:
        """The tokens that step `step`'s score depends on: a key to remember it by."""
        return self.tokens[: self.ends[step]]

    def readings(self, steps: Sequence[int]) -> list[tuple[tuple[int, ...], list[int]]]:
        """What to read to score `steps` (ascending): token sequences with the positions in them.

        Without a closing one reading serves all; with one each step needs its own.
        """
        if not steps:
            return []
        if not self.closing:
            return [(self.prefix(steps[-1]), [self.ends[i] - 1 - self.back for i in steps])]
        found = []
        for i in steps:
            tokens = self.prefix(i) + self.closing
            found.append((tokens, [len(tokens) - 1 - self.back]))
        return found
