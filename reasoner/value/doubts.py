"""How much a model doubted the steps it wrote: what a value head of our own reads.

A model that is about to go wrong often hesitates first, and where the numbers stand it matters
most. So a step is described by how surprising its tokens were and how open the choice was at each
(its entropy), over all of them and over those that write digits. Both come from the probabilities
that the model gave when it wrote the step: reading them off costs nothing.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reasoner.doubt import Doubt
from reasoner.engine.engine import Engine, OnDecoded

__all__ = ["FEATURES", "StepReader"]

Floats = npt.NDArray[np.float32]

FEATURES = ("tokens before", "entropy", "surprise of digits", "entropy of digits")
"""Of each of them the head reads log(1 + x); surprise and entropy are sums, in nats. More of them
(lengths, counts, the surprise of all tokens, hidden states of any layer) made the head no better on
problems of another kind than it was trained on."""


class StepReader:
    """Describes the steps of paths that `engine`'s model has written or would read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digits: dict[int, bool] = {}

    async def read(
        self,
        prompt: Sequence[int],
        tokens: Sequence[int],
        ends: Sequence[int],
        first: int = 0,
        *,
        doubts: Sequence[Doubt] = (),
        on_decoded: OnDecoded | None = None,
    ) -> Floats:
        """A row of features (len(ends) - first, len(FEATURES)) for each step from `first` on;
        `ends` says where among `tokens` each step ends.

        `doubts` are those of `tokens`, if they were kept; otherwise the model reads the steps,
        but none before `first` again that the cache holds. Raises what `Engine.doubts` does.
        """
        begins = (0, *ends)[:-1]
        start = begins[first]
        if len(doubts) == len(tokens):
            known = list(doubts[start : ends[-1]])
        elif ends[-1] > start:
            whole, begin = (*prompt, *tokens[: ends[-1]]), len(prompt) + start
            known = await self._engine.doubts(whole, begin, on_decoded)
        else:
            known = []
        return np.stack(
            [
                self._features(known[begin - start : end - start], tokens[begin:end], begin)
                for begin, end in zip(begins[first:], ends[first:], strict=True)
            ]
        )

    def _features(self, doubts: Sequence[Doubt], tokens: Sequence[int], place: int) -> Floats:
        table = np.array(doubts, np.float32).reshape(len(doubts), 2)
        digits = np.array([self._has_digit(token) for token in tokens], np.bool_)
        row = np.array([place, table[:, 1].sum(), *table[digits].sum(axis=0)], np.float32)
        return np.asarray(np.log1p(row), np.float32)

    def _has_digit(self, token: int) -> bool:
        if token not in self._digits:
            text = self._engine.detokenize([token])
            self._digits[token] = any(letter.isdigit() for letter in text)
        return self._digits[token]
