"""One generation on a completions server, held to its controller's constraints."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Self

from reasoner.engine.capabilities import missing_capability
from reasoner.engine.constraints import FREE, Allow, Ban, Constraint, Controller, Force, Halt
from reasoner.engine.remote.completions import CompletionsClient, TextPiece
from reasoner.engine.remote.text_vocabulary import TextVocabulary
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token
from reasoner.errors import EngineError

__all__ = ["RemoteGeneration"]

MAX_ENDS = 4
"""Texts that end a reply, of which OpenAI's interface allows so many."""
MAX_RESAMPLES = 3
"""How often a banned token is sampled again before it is accepted."""
MIN_RESAMPLE_TEMPERATURE = 0.8
"""The lowest temperature at which a banned token is sampled again."""


class RemoteGeneration:
    """Implements `Generation` over the stream of a completions server."""

    def __init__(
        self,
        server: CompletionsClient,
        vocabulary: TextVocabulary,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None,
        max_tokens: int,
        seed: int,
        ignored_ends: Collection[int] = (),
    ) -> None:
        self.finish: Finish | None = None
        self.decoded_tokens = len(tokens)
        self._server, self._vocabulary = server, vocabulary
        self._text = vocabulary.sent_text(tokens)
        self._ignored_ends = ignored_ends
        self._sampling, self._controller = sampling, controller
        self._remaining_tokens, self._seed = max_tokens, seed
        self._stream: AsyncGenerator[TextPiece, None] | None = None
        self._source = self._tokens()
        self._pending_token: asyncio.Future[Token | None] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True
        if self._pending_token is not None:
            self._pending_token.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Token:
        token = None if self.finish or self._cancelled else await self._next()
        if token is not None:
            return token
        self.finish = self.finish or Finish.CANCELLED
        await self._close_stream()
        raise StopAsyncIteration

    async def _next(self) -> Token | None:
        """Return the next token, or None at the end; `cancel` interrupts the wait."""
        self._pending_token = asyncio.ensure_future(anext(self._source, None))
        try:
            return await self._pending_token
        except BaseException as error:
            self.finish = Finish.CANCELLED
            await self._close_stream()
            if isinstance(error, asyncio.CancelledError) and self._cancelled:
                return None
            raise

    async def _tokens(self) -> AsyncGenerator[Token, None]:
        """Append forced and sampled tokens in a loop, as the local scheduler does."""
        while True:
            constraint = self._controller.constrain() if self._controller else FREE
            if isinstance(constraint, Halt):
                self.finish = Finish.HALT
                return
            if isinstance(constraint, Force):
                await self._close_stream()
                tokens = [Token(token, 0.0, forced=True) for token in constraint.tokens]
            elif (drawn := await self._sample(constraint)) is not None:
                tokens = [drawn]
            else:
                self.finish = Finish.LENGTH
                return
            for token in tokens:
                self.finish = self._append_token(token)
                yield token
                if self.finish is not None:
                    return

    def _append_token(self, token: Token) -> Finish | None:
        self._remaining_tokens -= 1
        if self._controller is not None:
            self._controller.accept(token.id)
        is_end = not token.forced and self._vocabulary.is_eog(token.id)
        if is_end and token.id not in self._ignored_ends:
            return Finish.STOP
        self._text += self._vocabulary.sent_text([token.id])
        return Finish.LENGTH if self._remaining_tokens <= 0 else None

    async def _sample(self, constraint: Constraint) -> Token | None:
        """Sample a token, or return None at the server's token limit. A banned token is sampled
        again at a higher temperature, at most `MAX_RESAMPLES` times, and then accepted."""
        if isinstance(constraint, Allow):
            raise missing_capability(self._server.address, "constrain")
        banned = constraint.tokens if isinstance(constraint, Ban) else ()
        token = await self._receive(self._sampling)
        for again in range(1, MAX_RESAMPLES + 1):
            if token is None or token.id not in banned:
                break
            await self._close_stream()
            self._seed += again
            warm = max(self._sampling.temperature, MIN_RESAMPLE_TEMPERATURE)
            token = await self._receive(self._sampling.model_copy(update={"temperature": warm}))
        return token

    async def _receive(self, sampling: Sampling) -> Token | None:
        """Return the next token of the stream, which is opened where none is."""
        if self._stream is None:
            self._stream = self._server.stream_completion(
                self._text, sampling, self._remaining_tokens, self._seed, self._ends()
            )
        piece = await anext(self._stream, None)
        if piece is None:
            raise EngineError(f"{self._server.address} broke off in the middle of a reply")
        if piece.finish is None:
            return Token(self._vocabulary.text_token_id(piece.text), piece.logprob)
        await self._close_stream()
        return None if piece.finish == "length" else Token(self._vocabulary.eos, 0.0)

    def _ends(self) -> list[str]:
        """Return the texts of the tokens that end the reply; servers take at most `MAX_ENDS`."""
        ends = [end for end in self._vocabulary.end_tokens if end not in self._ignored_ends]
        return [self._vocabulary.sent_text([end]) for end in ends[:MAX_ENDS]]

    async def _close_stream(self) -> None:
        """Close the stream, which stops the server."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()
