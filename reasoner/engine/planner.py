"""What goes into the next decode: running sequences first, beside or between them prompts.

It knows nothing of requests that wait, nor of what becomes of what was decoded.
"""

from math import ceil

from reasoner.engine.context import Context
from reasoner.engine.part import Part, affordable
from reasoner.engine.prefix import Sequence
from reasoner.engine.request import Read

__all__ = ["FEW", "Planner"]

STALL_SECONDS = 0.15
"""How long reading prompts may hold up running sequences at a time, or as long as their own step
takes, if that is more."""
FEW = 16
"""A sequence with at most this many unread tokens is running, one with more is being prefilled."""

TILE = 64
"""From so many tokens on llama.cpp's attention works in tiles on a CPU, and a tile of many
sequences takes in the cells of all of them. So running sequences are decoded by fewer, and prompts
are read by themselves: with 57 lines running, 32 tokens of a prompt took 2.5 s beside them and
1.8 s apart (1.5B model, Q4_K_M, two cores). Behind 900 tokens a whole tile of a prompt took 0.96 s,
one token less 1.3 s."""


class Planner:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._rounds = 0
        self._turns = 0
        """Rounds in which running sequences and prompts were too much for one decode."""
        self._prefill_rate = 200.0
        """Tokens per second."""
        self._step_seconds = 0.0

    def plan(self, active: list[Sequence]) -> list[Part]:
        """Which of the active sequences read how many tokens now. Hidden states need decodes of
        their own, so what reads them takes turns with the others."""
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
        """How long it took to decode them."""
        count = _tokens(parts)
        if all(part.count <= FEW for part in parts):
            self._step_seconds = seconds
        elif count >= 32 and seconds > 0:
            self._prefill_rate += 0.3 * (count / seconds - self._prefill_rate)

    def _turn(self, running: list[Part], prompts: list[Part]) -> list[Part]:
        """What of them a CPU decodes now: all if it is little, else one share after another."""
        if _tokens(running) + _tokens(prompts) < TILE:
            return running + prompts
        count = ceil(_tokens(running) / (TILE - 1))
        shares = [running[start::count] for start in range(count)] + ([prompts] if prompts else [])
        self._turns += 1
        return shares[self._turns % len(shares)]

    def _chunk(self, running: int) -> int:
        """Prompt tokens that can be read without stalling so many running sequences noticeably;
        on a CPU whole tiles, where they are to be read by themselves."""
        count = max(32, int(self._prefill_rate * max(STALL_SECONDS, self._step_seconds)))
        apart = not self._context.on_gpu and running + count >= TILE
        return max(1, count // TILE) * TILE if apart else count


def _filled(sequences: list[Sequence], room: int, rows: int) -> list[Part]:
    """As much of them, in order, as so many tokens and rows of output allow."""
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
