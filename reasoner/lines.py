"""The likeliest lines that a model would write next, found instead of drawn."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import exp, log

from reasoner.budget import Budget
from reasoner.engine.engine import Engine
from reasoner.operators.together import together

__all__ = ["LONGEST", "Line", "likeliest_lines"]

LONGEST = 32
"""Tokens a line may have."""
ALTERNATIVES = 20
"""Tokens looked at after each beginning; no server tells more."""
AT_ONCE = 16
NEAR = 0.1
"""What is decoded beside the likeliest beginning is at least so likely by comparison."""


@dataclass(frozen=True, order=True)
class Line:
    """A line, or the beginning of one, which has no text yet. `logprob` is the natural log of its
    probability; `tokens` leave out the line's end."""

    cost: float
    tokens: tuple[int, ...] = field(default=(), compare=False)
    text: str | None = field(default=None, compare=False)

    @property
    def logprob(self) -> float:
        return -self.cost

    @property
    def probability(self) -> float:
        return exp(-self.cost)


async def likeliest_lines(
    engine: Engine, budget: Budget, tokens: tuple[int, ...], least: float
) -> AsyncGenerator[Line, None]:
    """The lines that a model would write after `tokens`, the likeliest first, as long as their
    probability at temperature 1 is at least `least`.

    Best-first search over tokens: no line comes twice, and each beginning is decoded once, so a
    line costs what it does not share with likelier ones. Ends early when the budget stops.
    """
    heap = [Line(0.0)] if least <= 1.0 else []
    while heap:
        if heap[0].text is not None:
            yield heappop(heap)
            continue
        wave = [_longer(engine, budget, tokens, line, least) for line in _wave(heap)]
        grown = await budget.unless_stopped(together(wave))
        if grown is None:
            return
        for line in (one for several in grown for one in several):
            heappush(heap, line)


def _wave(heap: list[Line]) -> list[Line]:
    """Take the likeliest beginnings, which are decoded side by side."""
    nearest = NEAR * heap[0].probability
    wave: list[Line] = []
    while heap and len(wave) < AT_ONCE and heap[0].text is None:
        if heap[0].probability < nearest:
            break
        wave.append(heappop(heap))
    return wave


async def _longer(
    engine: Engine, budget: Budget, tokens: tuple[int, ...], line: Line, least: float
) -> list[Line]:
    """What may follow a beginning: one token more, or the line's end, however that is written."""
    rows = await engine.likeliest((*tokens, *line.tokens), ALTERNATIVES, budget.branch)
    found, end = [], 0.0
    for token, logprob in rows:
        piece = engine.piece(token)
        if engine.is_eog(token) or b"\n" in piece:
            end += exp(logprob)
        elif piece and len(line.tokens) < LONGEST:
            found.append(Line(line.cost - logprob, (*line.tokens, token)))
    if end and line.tokens:
        text = engine.detokenize(line.tokens).strip()
        found.append(Line(line.cost - log(end), line.tokens, text))
    return [one for one in found if one.probability >= least]
