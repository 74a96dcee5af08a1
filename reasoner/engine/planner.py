"""Composes each batch: decoding sequences first, then chunks of the prompts being prefilled."""

from math import ceil

from reasoner.engine.context import Context
from reasoner.engine.part import Part, affordable
from reasoner.engine.prefix import Sequence
from reasoner.engine.request import Read

__all__ = ["FEW", "Planner"]

STALL_SECONDS = 0.15
"""Seconds for which a prefill chunk may delay the decoding sequences. The duration of their own
step is the limit where it is longer."""
FEW = 16
"""A sequence with at most this many remaining tokens is decoding, one with more is prefilled."""

TILE = 64
"""From this many tokens on llama.cpp's CPU attention works in tiles, and a tile with tokens of
many sequences reads the cells of all of them. Decoding sequences are therefore split into smaller
batches and prompts get batches of their own: beside 57 decoding sequences 32 prompt tokens took
2.5 s, in a batch of their own 1.8 s (1.5B model, Q4_K_M, two cores). Behind 900 tokens a full tile
of a prompt took 0.96 s, one token less 1.3 s."""


class Planner:
    """Chooses how many tokens each active sequence puts into the next `llama_decode`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rounds = 0
        self._turns = 0
        """Counts the batches that had to be split into shares; selects the next share."""
        self._prefill_rate = 200.0
        """Tokens per second."""
        self._step_seconds = 0.0

    def plan(self, active: list[Sequence]) -> list[Part]:
        """Return the chunks of the active sequences that form the next batch.

        Hidden states need batches of their own, so requests for them alternate with the others.
        """
        self._rounds += 1
        room, rows = self._context.n_batch, self._context.n_sequences
        hidden = [s for s in active if isinstance(s.request, Read) and s.request.hidden]
        others = [s for s in active if s not in hidden]
        if hidden and (not others or self._rounds % 2):
            return _filled(hidden, rows, rows)
        running = _filled([s for s in others if s.unread <= FEW], room, rows)
        prompts = _filled(
            [s for s in others if s.unread > FEW],
            min(self._chunk(_tokens(running)), room - _tokens(running)) if running else room,
            rows - sum(len(part.wanted()) for part in running),
        )
        return running + prompts if self._context.on_gpu else self._turn(running, prompts)

    def learn(self, parts: list[Part], seconds: float) -> None:
        """Record the `seconds` that a decode of these chunks took."""
        count = _tokens(parts)
        if all(part.count <= FEW for part in parts):
            self._step_seconds = seconds
        elif count >= 32 and seconds > 0:
            self._prefill_rate += 0.3 * (count / seconds - self._prefill_rate)

    def _turn(self, running: list[Part], prompts: list[Part]) -> list[Part]:
        """Return what a CPU decodes now: everything below a tile, else the next share in turn."""
        if _tokens(running) + _tokens(prompts) < TILE:
            return running + prompts
        count = ceil(_tokens(running) / (TILE - 1))
        shares = [running[start::count] for start in range(count)] + ([prompts] if prompts else [])
        self._turns += 1
        return shares[self._turns % len(shares)]

    def _chunk(self, running: int) -> int:
        """Return the prompt tokens that can be prefilled beside `running` decoding tokens within
        the stall limit; a multiple of the tile where a CPU prefills them in their own batch."""
        count = max(32, int(self._prefill_rate * max(STALL_SECONDS, self._step_seconds)))
        apart = not self._context.on_gpu and running + count >= TILE
        return max(1, count // TILE) * TILE if apart else count


def _filled(sequences: list[Sequence], room: int, rows: int) -> list[Part]:
    """Return chunks of the sequences, in order, up to `room` tokens and `rows` output rows."""
    parts: list[Part] = []
    for sequence in sequences:
        part = affordable(sequence, room, rows)
        if part.count <= 0:
            break
        parts.append(part)
        room, rows = room - part.count, rows - len(part.wanted())
    return parts


def _tokens(parts: list[Part]) -> int:
    return sum(part.count for part in parts)
