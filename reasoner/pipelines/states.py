"""Hidden states at the ends of steps, read as a value head will read them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reasoner.engine.engine import Engine

__all__ = ["Reader"]

Half = npt.NDArray[np.float16]


class Reader:
    """Reads, for each step, the state at its last token and the mean over its last `span` tokens,
    side by side: rows of 2 · n_embd numbers."""

    def __init__(self, engine: Engine, span: int) -> None:
        self._engine, self._span = engine, span
        self.width = 2 * engine.n_embd

    async def read(
        self, prompt: Sequence[int], tokens: Sequence[int], ends: Sequence[int], first: int = 0
    ) -> list[Half]:
        """The rows of the steps from number `first` on, which end at `ends` among `tokens`.

        What the prefix cache holds before them is not read again.
        """
        spans = [self._tokens_of(ends, index) for index in range(first, len(ends))]
        places = [len(prompt) + place for span in spans for place in span]
        sheet = (*prompt, *tokens[: ends[-1]])
        states = await self._engine.hidden(sheet, places)
        rows, begin = [], 0
        for span in spans:
            part = states[begin : begin + len(span)]
            rows.append(np.concatenate((part[-1], part.mean(axis=0))).astype(np.float16))
            begin += len(span)
        return rows

    def _tokens_of(self, ends: Sequence[int], index: int) -> range:
        begin = ends[index - 1] if index else 0
        return range(max(begin, ends[index] - self._span), ends[index])
