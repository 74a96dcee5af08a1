"""The engine on another machine: any OpenAI-compatible completions server behind the contract.

Such servers take text and give text. So tokens here are pieces of text; what a controller forces
is added to the prompt; what it halts is no longer read; what it bans is drawn again; scores are
read from the likeliest next tokens. Hidden states there are none.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reasoner.doubt import Doubt
from reasoner.engine.completions import Completions, Piece
from reasoner.engine.control import FREE, Allow, Ban, Constraint, Controller, Force, Halt
from reasoner.engine.engine import OnDecoded
from reasoner.engine.request import Finish, Token
from reasoner.engine.sampling import Sampling
from reasoner.engine.vocabulary import END_NAMES
from reasoner.engine.words import WordVocabulary
from reasoner.errors import EngineError, PromptTooLong, UsageError
from reasoner.settings import EngineSettings

__all__ = ["CHATML", "RemoteEngine", "RemoteGeneration"]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DEFAULT_CONTEXT = 4096
TRIES = 3
"""Times that a banned token is drawn again before the sequence is left as it is."""
WARM = 0.8
"""The temperature at which it is, at least."""
UNSEEN = 3.0
"""How much less likely than the least likely token that is told one is taken to be that is not."""


class RemoteEngine:
    """A server's model. `open` it, `close` it."""

    n_embd = 0

    def __init__(self, server: Completions, template: str, end: str, n_ctx: int) -> None:
        self._server, self._template = server, template
        self.n_ctx = n_ctx
        vocabulary = self._vocabulary = WordVocabulary(end)
        self.tokenize, self.detokenize = vocabulary.tokenize, vocabulary.detokenize
        self.piece, self.token_id = vocabulary.piece, vocabulary.token_id
        self.is_eog = vocabulary.is_eog
        self.bos, self.eos = vocabulary.bos, vocabulary.eos
        self.end_tokens, self.control_tokens = vocabulary.end_tokens, vocabulary.control_tokens

    @classmethod
    async def open(
        cls,
        address: str,
        model: str | None,
        settings: EngineSettings | None = None,
        *,
        key: str | None = None,
        template: str | None = None,
        notice: Callable[[str], None] = lambda _text: None,
    ) -> Self:
        """Find out what the server has. Raises UsageError or EngineError."""
        chosen = settings or EngineSettings()
        server = Completions(address, model or "", key, chosen.sequences)
        try:
            card = _card(await server.get(f"{address}/models"), model, address)
            server.model = str(card["id"])
            props = await _props(server, address)
            template = template or _text(props, "chat_template")
            if template is None:
                notice(f"{address} tells no chat template, so ChatML is used; set chat_template")
            if not await server.probe():
                notice(f"{address} tells no log-probabilities, so nothing can be scored by it")
        except BaseException:
            await server.close()
            raise
        template = template or CHATML
        end = _text(props, "eos_token") or _end_of(template)
        return cls(server, template, end, chosen.context or _context(card, props))

    @property
    def chat_template(self) -> str | None:
        return self._template

    def generate(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None = None,
        max_tokens: int | None = None,
        seed: int = 0,
    ) -> "RemoteGeneration":
        if sampling.grammar is not None:
            raise UsageError("a grammar needs a model on this machine; servers differ in them")
        if len(tokens) >= self.n_ctx:
            raise PromptTooLong(len(tokens), self.n_ctx)
        most = min(max_tokens or self.n_ctx, self.n_ctx - len(tokens))
        return RemoteGeneration(
            self._server, self._vocabulary, tokens, sampling, controller, most, seed
        )

    async def score(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        targets: Sequence[Sequence[int]],
        on_decoded: OnDecoded | None = None,
    ) -> list[tuple[float, ...]]:
        texts = [self.detokenize(tokens[: position + 1], special=True) for position in positions]
        found = await asyncio.gather(*(self._server.next_logprobs(text) for text in texts))
        if on_decoded is not None:
            on_decoded(len(tokens))
        return [
            tuple(self._likelihood(row, target) for target in wanted)
            for row, wanted in zip(found, targets, strict=True)
        ]

    def _likelihood(self, told: dict[str, float], token: int) -> float:
        text = self.detokenize([token], special=True)
        return told.get(text, min(told.values()) - UNSEEN)

    async def likeliest(
        self, tokens: Sequence[int], count: int, on_decoded: OnDecoded | None = None
    ) -> list[tuple[int, float]]:
        told = await self._server.next_logprobs(self.detokenize(tokens, special=True))
        if on_decoded is not None:
            on_decoded(len(tokens))
        best = sorted(told.items(), key=lambda row: -row[1])[:count]
        return [(self._vocabulary.received(text), logprob) for text, logprob in best]

    async def doubts(
        self, tokens: Sequence[int], begin: int, on_decoded: OnDecoded | None = None
    ) -> list[Doubt]:
        raise EngineError(
            f"the server at {self._server.address} tells no whole distributions, which value heads "
            "read; use a model on this machine for that"
        )

    async def hidden(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        on_decoded: OnDecoded | None = None,
    ) -> npt.NDArray[np.float32]:
        raise EngineError(
            f"the server at {self._server.address} gives no hidden states, which value heads "
            "read; use a model on this machine for that"
        )

    def forget(self, tokens: Sequence[int], keep: int = 0, below: bool = False) -> None:
        """The server looks after its own cache."""

    async def close(self) -> None:
        await self._server.close()


class RemoteGeneration:
    """See `Generation`."""

    def __init__(
        self,
        server: Completions,
        vocabulary: WordVocabulary,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None,
        max_tokens: int,
        seed: int,
    ) -> None:
        self.finish: Finish | None = None
        self.decoded_tokens = len(tokens)
        self._server, self._vocabulary = server, vocabulary
        self._text = vocabulary.detokenize(tokens, special=True)
        self._sampling, self._controller = sampling, controller
        self._left, self._seed = max_tokens, seed
        self._stream: AsyncGenerator[Piece, None] | None = None
        self._source = self._tokens()
        self._step: asyncio.Future[Token | None] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True
        if self._step is not None:
            self._step.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Token:
        token = None if self.finish or self._cancelled else await self._next()
        if token is not None:
            return token
        self.finish = self.finish or Finish.CANCELLED
        await self._break_off()
        raise StopAsyncIteration

    async def _next(self) -> Token | None:
        """The next token, or None at the end; `cancel` ends the waiting for it."""
        self._step = asyncio.ensure_future(anext(self._source, None))
        try:
            return await self._step
        except BaseException as error:
            self.finish = Finish.CANCELLED
            await self._break_off()
            if isinstance(error, asyncio.CancelledError) and self._cancelled:
                return None
            raise

    async def _tokens(self) -> AsyncGenerator[Token, None]:
        """Place tokens as the engine here does: ask the controller, place, tell it."""
        while True:
            constraint = self._controller.constrain() if self._controller else FREE
            if isinstance(constraint, Halt):
                self.finish = Finish.HALT
                return
            if isinstance(constraint, Force):
                await self._break_off()
                tokens = [Token(token, 0.0, forced=True) for token in constraint.tokens]
            elif (drawn := await self._draw(constraint)) is not None:
                tokens = [drawn]
            else:
                self.finish = Finish.LENGTH
                return
            for token in tokens:
                self.finish = self._place(token)
                yield token
                if self.finish is not None:
                    return

    def _place(self, token: Token) -> Finish | None:
        self._left -= 1
        if self._controller is not None:
            self._controller.accept(token.id)
        if not token.forced and self._vocabulary.is_eog(token.id):
            return Finish.STOP
        self._text += self._vocabulary.detokenize([token.id], special=True)
        return Finish.LENGTH if self._left <= 0 else None

    async def _draw(self, constraint: Constraint) -> Token | None:
        """A token, or None where the server had no more room. One that is banned is drawn again,
        less greedily; a server that insists has its way."""
        if isinstance(constraint, Allow):
            raise EngineError("a server cannot be held to a few tokens; use a model here for that")
        banned = constraint.tokens if isinstance(constraint, Ban) else ()
        token = await self._receive(self._sampling)
        for again in range(1, TRIES + 1):
            if token is None or token.id not in banned:
                break
            await self._break_off()
            self._seed += again
            warm = max(self._sampling.temperature, WARM)
            token = await self._receive(self._sampling.model_copy(update={"temperature": warm}))
        return token

    async def _receive(self, sampling: Sampling) -> Token | None:
        """The stream's next token; a stream is begun where none is open."""
        if self._stream is None:
            end = self._vocabulary.detokenize(self._vocabulary.end_tokens, special=True)
            self._stream = self._server.write(self._text, sampling, self._left, self._seed, end)
        piece = await anext(self._stream, None)
        if piece is None:
            raise EngineError(f"{self._server.address} broke off in the middle of a reply")
        if piece.finish is None:
            return Token(self._vocabulary.received(piece.text), piece.logprob)
        await self._break_off()
        return None if piece.finish == "length" else Token(self._vocabulary.eos, 0.0)

    async def _break_off(self) -> None:
        """Read no more of what the server writes, so that it stops writing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()


def _card(data: Any, model: str | None, address: str) -> dict[str, Any]:
    """What the server says of the model asked for, or of its only one. Raises UsageError."""
    cards = data.get("data") if isinstance(data, dict) else None
    cards = [card for card in cards or () if isinstance(card, dict) and "id" in card]
    names = [str(card["id"]) for card in cards]
    if model is None and len(cards) == 1:
        return dict(cards[0])
    if model not in names:
        there = ", ".join(names[:20]) or "no model at all"
        raise UsageError(f"name one of the models at {address}, as in {address}#NAME: {there}")
    return dict(cards[names.index(model)])


async def _props(server: Completions, address: str) -> dict[str, Any]:
    """What llama-server tells of itself; others tell nothing."""
    with suppress(UsageError, EngineError):
        found = await server.get(f"{address.removesuffix('/v1')}/props")
        return found if isinstance(found, dict) else {}
    return {}


def _text(props: dict[str, Any], name: str) -> str | None:
    value = props.get(name)
    return value if isinstance(value, str) and value else None


def _end_of(template: str) -> str:
    """The end-of-reply token that a chat template writes."""
    return next((name for name in END_NAMES if name in template), "</s>")


def _context(card: dict[str, Any], props: dict[str, Any]) -> int:
    """The longest sequence, as vLLM or llama-server tell it."""
    defaults = props.get("default_generation_settings")
    told = [card.get("max_model_len"), defaults.get("n_ctx") if isinstance(defaults, dict) else 0]
    return next((size for size in told if isinstance(size, int) and size > 0), DEFAULT_CONTEXT)
