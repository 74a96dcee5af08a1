"""Hidden states at the ends of steps, laid out as a value head reads them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reasoner.engine.engine import Engine, OnDecoded

__all__ = ["read_states", "states_width"]

Floats = npt.NDArray[np.float32]


def states_width(engine: Engine, span: int) -> int:
    """How many numbers `read_states` gives for a step."""
    return engine.n_embd * (2 if span else 1)


async def read_states(
    engine: Engine,
    tokens: Sequence[int],
    ends: Sequence[int],
    span: int,
    on_decoded: OnDecoded | None = None,
) -> Floats:
    """For each of `ends` (ascending; how many tokens there are up to a step's end) the state at
    the last token and, with a `span`, beside it the mean over the last `span` tokens.

    What stands before them is not read again if the cache holds it; `span` tokens a step are.
    """
    places = [range(max(0, end - max(1, span)), end) for end in ends]
    wanted = sorted({place for part in places for place in part})
    states = await engine.hidden(tokens[: ends[-1]], wanted, on_decoded)
    at = {place: row for row, place in enumerate(wanted)}
    parts = [states[[at[place] for place in part]] for part in places]
    last = np.stack([part[-1] for part in parts])
    return last if not span else np.hstack((last, np.stack([part.mean(axis=0) for part in parts])))
