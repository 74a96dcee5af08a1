"""Work for the engine: what is asked, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reasoner.engine.control import Controller
from reasoner.engine.draw import Drawer
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token

__all__ = ["Generate", "Item", "Read", "Request"]

Logits = npt.NDArray[np.float32]


Item = Token | Finish | BaseException


@dataclass(eq=False, slots=True)
class Request:
    """What every kind of work shares. The worker thread hands its results to `emit`."""

    prompt: npt.NDArray[np.int32]
    emit: Callable[[Item], None]
    tokens: list[int] = field(default_factory=list)
    """All tokens the sequence must hold: the prompt, and what was generated since."""
    order: int = 0
    """Its place in the order of arrival."""
    cancelled: bool = False
    decoded_tokens: int = 0
    """How many tokens of the prompt were read rather than found in the cache."""
    sought: bool = False
    """Whether its prompt was looked for among those that outlive the process."""

    def __post_init__(self) -> None:
        self.tokens = self.prompt.tolist()

    @property
    def ids(self) -> npt.NDArray[np.int32]:
        """`tokens` as an array."""
        grown = len(self.tokens) > len(self.prompt)
        return np.array(self.tokens, np.int32) if grown else self.prompt

    @property
    def reusable(self) -> int:
        """Leading tokens whose output nobody wants, so that cached cells can stand for them."""
        return len(self.tokens) - 1

    def close(self) -> None:
        """Free what the request holds; called once it has ended, whatever the reason."""


@dataclass(eq=False, slots=True)
class Generate(Request):
    """Continue the tokens."""

    sampling: Sampling = field(default_factory=Sampling)
    controller: Controller | None = None
    max_tokens: int = 1
    seed: int = 0
    drawer: Drawer | None = None

    @property
    def generated(self) -> int:
        return len(self.tokens) - len(self.prompt)

    def close(self) -> None:
        if self.drawer is not None:
            self.drawer.close()
            self.drawer = None


@dataclass(eq=False, slots=True)
class Read(Request):
    """Read the tokens and hand `visit(position, row)` what stands at each wanted position.

    `row` is a view of the logits (n_vocab,) or, with `hidden`, of the last layer's normalised
    state (n_embd,); it is valid only during the call.
    """

    positions: frozenset[int] = frozenset()
    visit: Callable[[int, Logits], None] = lambda _position, _row: None
    hidden: bool = False

    @property
    def reusable(self) -> int:
        return min(self.positions)
