"""The engine interface, implemented by a local llama.cpp context and by remote servers."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from reasoner.engine.capabilities import Capabilities
from reasoner.engine.constraints import Controller
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token
from reasoner.types.token_statistics import TokenStatistics

__all__ = ["MIN_LOGPROB", "Engine", "Generation", "OnDecoded", "Vocabulary"]

MIN_LOGPROB = -1e4
"""The lowest log-probability that `token_logprobs` returns, so that all of them are finite."""

OnDecoded = Callable[[int], None]
"""Called after a prefill with the number of tokens that no cached prefix held."""


class Generation(Protocol):
    """A running generation: iterate it for its tokens.

    Leaving the iteration early, or cancelling the task that iterates, frees the sequence at once.
    """

    finish: Finish | None
    """Why it ended; None while it runs."""

    @property
    def decoded_tokens(self) -> int:
        """Prompt tokens that were decoded because no cached prefix held them."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Token: ...

    def cancel(self) -> None:
        """End the generation with the tokens so far; may be called at any time."""


class Vocabulary(Protocol):
    """Conversion of text to token ids and back."""

    def tokenize(self, text: str, special: bool = True) -> list[int]:
        """Token ids of a text that follows other text; nothing is put before it. `special` reads
        the names of control tokens and marks as those tokens; without it all of it is text."""

    def tokenize_prompt(self, parts: Sequence[str]) -> list[int]:
        """Token ids of a whole prompt, which is all `parts` joined; no token spans two of them, and
        names of control tokens and marks in a part are those tokens. It begins with the
        beginning-of-text token where the model wants one."""

    def split_marks(self, text: str) -> list[str]:
        """The text in parts of which none contains the name of a control token or a mark, so that
        all of it remains text in `tokenize_prompt`."""

    def detokenize(self, tokens: Sequence[int], special: bool = False) -> str:
        """The text of tokens, without a character that they leave unfinished; control tokens only
        appear with `special`."""

    def piece(self, token: int, special: bool = False) -> bytes:
        """One token's bytes, maybe part of a character."""

    def token_id(self, name: str) -> int | None:
        """The single token called `name`, or None."""

    def is_eog(self, token: int) -> bool:
        """Whether the token ends a reply."""

    def end_replies_at(self, token: int) -> None:
        """Let `token`, with which the chat template ends the assistant's turns, end replies."""

    @property
    def bos(self) -> int | None:
        """The token that begins a text, if the vocabulary has one."""

    @property
    def eos(self) -> int | None:
        """The token that ends a text, if the vocabulary has one."""

    @property
    def end_tokens(self) -> tuple[int, ...]:
        """The tokens that end a reply, the one that ends a text first."""

    @property
    def control_tokens(self) -> tuple[int, ...]:
        """All tokens that mark structure and carry no text."""


class Engine(Vocabulary, Protocol):
    """A model that continues and scores sequences of token ids."""

    n_ctx: int
    """Tokens that one sequence may have."""
    n_embd: int
    """Width of a hidden state; 0 where there are none."""
    capabilities: Capabilities
    """What the engine can do; a method that needs more raises EngineError or UsageError."""

    def generate(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None = None,
        max_tokens: int | None = None,
        seed: int = 0,
        ignored_ends: Collection[int] = (),
    ) -> Generation:
        """Continue `tokens` by at most `max_tokens` (None: what the context holds), until a token
        that ends a reply and is not among `ignored_ends`.

        Raises PromptTooLong or UsageError (a grammar without the capability) at once, ContextFull
        or EngineError while iterating.
        """

    async def token_logprobs(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        targets: Sequence[Sequence[int]],
        on_decoded: OnDecoded | None = None,
    ) -> list[tuple[float, ...]]:
        """Log-probabilities (natural, at least MIN_LOGPROB) of `targets[i]` as the token after
        `tokens[positions[i]]`. Raises EngineError without the capability `score`."""

    async def top_tokens(
        self, tokens: Sequence[int], count: int, on_decoded: OnDecoded | None = None
    ) -> list[tuple[int, float]]:
        """Return the most likely next tokens after `tokens` with their log-probabilities
        (natural), best first: `count` of them, or fewer where a server limits the number."""

    async def token_statistics(
        self, tokens: Sequence[int], begin: int, on_decoded: OnDecoded | None = None
    ) -> list[TokenStatistics]:
        """Surprisal and entropy in nats of each of `tokens` from index `begin` (at least 1) on.

        Raises EngineError without the capability `whole_logits`.
        """

    async def hidden_states(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        on_decoded: OnDecoded | None = None,
    ) -> npt.NDArray[np.float32]:
        """Last hidden states after the final norm, shape (len(positions), n_embd).

        Raises EngineError without the capability `hidden_states`.
        """

    def release_prefix(
        self, tokens: Sequence[int], keep: int = 0, include_extensions: bool = False
    ) -> None:
        """Release cached cells: `tokens` and, with `include_extensions`, all sequences that begin
        with them are not continued any more, except from their first `keep` tokens. This is only a
        hint."""

    def same_vocabulary(self, other: "Engine") -> bool:
        """Whether both engines have token ids of their models, and every id means the same."""

    @property
    def chat_template(self) -> str | None:
        """The model's own Jinja template, if it has one."""

    async def close(self) -> None:
        """Free everything; running generations end as cancelled."""
