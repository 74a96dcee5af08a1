"""Best-first search for the likeliest next lines of a model, instead of sampling them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain
from math import exp, log

from reasoner.concurrency.gather import gather_all
from reasoner.engine.interface import Engine
from reasoner.policy.budget import Budget

__all__ = ["MAX_LINE_TOKENS", "LineContinuation", "likeliest_lines"]

MAX_LINE_TOKENS = 32
"""The maximum length of a line in tokens."""
NEXT_TOKENS = 20
"""Next tokens considered after each prefix; servers report no more."""
MAX_BATCH_SIZE = 16
MIN_RELATIVE_PROBABILITY = 0.1
"""Prefixes decoded in one batch have at least this probability relative to the likeliest one."""


@dataclass(frozen=True, order=True)
class LineContinuation:
    """A line, or the prefix of one; only a complete line has a `text`.

    `cost` is the negative natural log of its probability, by which lines are ordered. `tokens` do
    not include the line's end.
    """

    cost: float
    tokens: tuple[int, ...] = field(default=(), compare=False)
    text: str | None = field(default=None, compare=False)

    @property
    def logprob(self) -> float:
        """The natural log of the probability at temperature 1."""
        return -self.cost

    @property
    def probability(self) -> float:
        """The probability at temperature 1."""
        return exp(-self.cost)


async def likeliest_lines(
    engine: Engine, budget: Budget, tokens: tuple[int, ...], min_probability: float
) -> AsyncGenerator[LineContinuation, None]:
    """The lines that a model would generate after `tokens`, the likeliest first, with a probability
    of at least `min_probability` at temperature 1.

    Best-first search over tokens: no line is found twice, and each prefix is decoded once, so a
    line costs only the tokens that it does not share with likelier ones. It ends early when the
    budget stops. Raises what `Engine.top_tokens` does.
    """
    heap = [LineContinuation(0.0)] if min_probability <= 1.0 else []
    while heap:
        if heap[0].text is not None:
            yield heappop(heap)
            continue
        batch = [
            _extensions(engine, budget, tokens, prefix, min_probability)
            for prefix in _pop_batch(heap)
        ]
        extensions = await budget.run_unless_stopped(gather_all(batch))
        if extensions is None:
            return
        for line in chain.from_iterable(extensions):
            heappush(heap, line)


def _pop_batch(heap: list[LineContinuation]) -> list[LineContinuation]:
    """Remove and return the likeliest prefixes, to be decoded in one batch."""
    min_probability = MIN_RELATIVE_PROBABILITY * heap[0].probability
    batch: list[LineContinuation] = []
    while heap and len(batch) < MAX_BATCH_SIZE and heap[0].text is None:
        if heap[0].probability < min_probability:
            break
        batch.append(heappop(heap))
    return batch


async def _extensions(
    engine: Engine,
    budget: Budget,
    tokens: tuple[int, ...],
    prefix: LineContinuation,
    min_probability: float,
) -> list[LineContinuation]:
    """The prefix with each of its likeliest next tokens, and the complete line, whose probability
    is the sum over all tokens that end a line."""
    rows = await engine.top_tokens((*tokens, *prefix.tokens), NEXT_TOKENS, budget.count_expansion)
    lines, end_probability = [], 0.0
    for token, logprob in rows:
        piece = engine.piece(token)
        if engine.is_eog(token) or b"\n" in piece:
            end_probability += exp(logprob)
        elif piece and len(prefix.tokens) < MAX_LINE_TOKENS:
            lines.append(LineContinuation(prefix.cost - logprob, (*prefix.tokens, token)))
    if end_probability and prefix.tokens:
        text = engine.detokenize(prefix.tokens).strip()
        lines.append(LineContinuation(prefix.cost - log(end_probability), prefix.tokens, text))
    return [line for line in lines if line.probability >= min_probability]
