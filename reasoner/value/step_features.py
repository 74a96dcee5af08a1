"""Features of steps from token statistics: the inputs of the value heads that this project trains.

Uncertainty of a model often precedes its mistakes, above all at numbers. A step is therefore
described by the surprisal and the entropy of its tokens, over all tokens and over those with
digits. Both are known from the generation of the step, so they cost no computation.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reasoner.engine.interface import Engine, OnDecoded
from reasoner.types.token_statistics import TokenStatistics

__all__ = ["FEATURE_NAMES", "StepFeatureExtractor"]

Floats = npt.NDArray[np.float32]

FEATURE_NAMES = ("tokens before", "entropy", "surprise of digits", "entropy of digits")
"""The names of the features; each is used as log(1 + x), surprisal and entropy as sums in nats.
Further features (lengths, counts, the surprisal of all tokens, hidden states of any layer) did not
improve the head on problems of another kind than it was trained on."""


class StepFeatureExtractor:
    """Computes the features of steps for the model of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digits: dict[int, bool] = {}

    async def extract_features(
        self,
        prompt: Sequence[int],
        tokens: Sequence[int],
        ends: Sequence[int],
        first_step: int = 0,
        *,
        statistics: Sequence[TokenStatistics] = (),
        on_decoded: OnDecoded | None = None,
    ) -> Floats:
        """Return the features of the steps from index `first_step` on, of shape
        (len(ends) - first_step, len(FEATURE_NAMES)).

        `ends[i]` is the number of `tokens` up to the end of step i. `statistics` holds the token
        statistics of `tokens` where they are known; otherwise the model prefills the steps, reusing
        the cached prefix, and `on_decoded` receives the number of decoded tokens. Raises what
        `Engine.token_statistics` does.
        """
        begins = (0, *ends)[:-1]
        start = begins[first_step]
        if len(statistics) == len(tokens):
            statistics = list(statistics[start : ends[-1]])
        elif ends[-1] > start:
            sequence = (*prompt, *tokens[: ends[-1]])
            statistics = await self._engine.token_statistics(
                sequence, len(prompt) + start, on_decoded
            )
        else:
            statistics = []
        return np.stack(
            [
                self._features(statistics[begin - start : end - start], tokens[begin:end], begin)
                for begin, end in zip(begins[first_step:], ends[first_step:], strict=True)
            ]
        )

    def _features(
        self, statistics: Sequence[TokenStatistics], tokens: Sequence[int], position: int
    ) -> Floats:
        table = np.array(statistics, np.float32).reshape(len(statistics), 2)
        digits = np.array([self._has_digit(token) for token in tokens], np.bool_)
        row = np.array([position, table[:, 1].sum(), *table[digits].sum(axis=0)], np.float32)
        return np.asarray(np.log1p(row), np.float32)

    def _has_digit(self, token: int) -> bool:
        if token not in self._digits:
            text = self._engine.detokenize([token])
            self._digits[token] = any(character.isdigit() for character in text)
        return self._digits[token]
