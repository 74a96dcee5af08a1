"""Requests to the local engine: generate tokens, or prefill tokens and read their outputs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reasoner.engine.constraints import Controller
from reasoner.engine.local.sampler import TokenSampler
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token

__all__ = ["GenerateRequest", "PrefillRequest", "Request", "RequestOutput"]

OutputRow = npt.NDArray[np.float32]


RequestOutput = Token | Finish | BaseException


@dataclass(eq=False, slots=True)
class Request:
    """The fields of every request. The worker thread passes each result to `emit`."""

    prompt: npt.NDArray[np.int32]
    emit: Callable[[RequestOutput], None]
    tokens: list[int] = field(default_factory=list)
    """The prompt and the tokens generated so far."""
    arrival: int = 0
    """Serial number in the order of arrival."""
    cancelled: bool = False
    decoded_tokens: int = 0
    """How many prompt tokens were decoded instead of taken from the prefix cache."""
    looked_up: bool = False
    """Whether its prompt has been looked up in the prompt cache on disk."""

    def __post_init__(self) -> None:
        self.tokens = self.prompt.tolist()

    @property
    def token_array(self) -> npt.NDArray[np.int32]:
        """`tokens` as an array."""
        grown = len(self.tokens) > len(self.prompt)
        return np.array(self.tokens, np.int32) if grown else self.prompt

    @property
    def max_cached_tokens(self) -> int:
        """Leading tokens that need no output, so that cached cells can replace their prefill."""
        return len(self.tokens) - 1

    def close(self) -> None:
        """Free native resources; called when the request has ended for any reason."""


@dataclass(eq=False, slots=True)
class GenerateRequest(Request):
    """Generate at most `max_tokens` tokens after the prompt. The tokens in `ignored_ends` do not
    end the generation."""

    sampling: Sampling = field(default_factory=Sampling)
    controller: Controller | None = None
    max_tokens: int = 1
    seed: int = 0
    ignored_ends: frozenset[int] = frozenset()
    sampler: TokenSampler | None = None

    @property
    def generated_tokens(self) -> int:
        return len(self.tokens) - len(self.prompt)

    def close(self) -> None:
        if self.sampler is not None:
            self.sampler.close()
            self.sampler = None


@dataclass(eq=False, slots=True)
class PrefillRequest(Request):
    """Prefill the tokens and call `on_row(position, row)` at each of the `positions`.

    The row is a view of the logits (n_vocab,) or, with `hidden`, of the last layer's normalised
    state (n_embd,); it is valid only during the call.
    """

    positions: frozenset[int] = frozenset()
    on_row: Callable[[int, OutputRow], None] = lambda _position, _row: None
    hidden: bool = False

    @property
    def max_cached_tokens(self) -> int:
        return min(self.positions)
