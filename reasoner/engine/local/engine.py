"""The engine in this process: an asynchronous interface to the worker thread."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from reasoner.context_needs import ContextNeeds
from reasoner.engine.capabilities import Capabilities
from reasoner.engine.constraints import Controller
from reasoner.engine.interface import MIN_LOGPROB, Engine, OnDecoded
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prompt_cache import PromptCacheStore
from reasoner.engine.local.request import GenerateRequest, PrefillRequest, Request, RequestOutput
from reasoner.engine.local.sampler import log_sum_exp
from reasoner.engine.local.scheduler import Scheduler
from reasoner.engine.local.worker import EngineWorker
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Finish, Token
from reasoner.errors import EngineError, PromptTooLong
from reasoner.settings import EngineSettings
from reasoner.types.token_statistics import TokenStatistics

__all__ = ["LocalEngine", "LocalGeneration"]


class LocalGeneration:
    """Implements `Generation` for a request to the worker thread."""

    def __init__(
        self, request: GenerateRequest, queue: "asyncio.Queue[RequestOutput]", worker: EngineWorker
    ) -> None:
        self._request, self._queue, self._worker = request, queue, worker
        self.finish: Finish | None = None

    @property
    def decoded_tokens(self) -> int:
        return self._request.decoded_tokens

    def cancel(self) -> None:
        if self.finish is None:
            self._worker.cancel(self._request)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Token:
        if self.finish is not None:
            raise StopAsyncIteration
        try:
            item = await self._queue.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if isinstance(item, Token):
            return item
        self.finish = item if isinstance(item, Finish) else Finish.CANCELLED
        if isinstance(item, BaseException):
            raise item
        raise StopAsyncIteration

    def __del__(self) -> None:
        self.cancel()


class LocalEngine:
    """Implements `Engine` for a GGUF file in this process; created by `open`, freed by `close`."""

    def __init__(
        self,
        context: LlamaContext,
        prompt_store: PromptCacheStore | None = None,
        chat_template: str | None = None,
    ) -> None:
        self._context = context
        self.chat_template = chat_template or context.chat_template
        self._worker = EngineWorker(context, prompt_store)
        self._worker.start()
        self.n_ctx = context.n_ctx
        self.n_embd = context.n_embd
        self.capabilities = Capabilities(
            owner="the model on this machine",
            constrain=True,
            grammar=True,
            score=True,
            whole_logits=True,
            hidden_states=True,
            token_ids=True,
            fork=context.can_fork,
        )
        vocabulary = self._vocabulary = context.vocabulary
        self.tokenize, self.tokenize_prompt = vocabulary.tokenize, vocabulary.tokenize_prompt
        self.split_marks, self.detokenize = vocabulary.split_marks, vocabulary.detokenize
        self.piece, self.token_id = vocabulary.piece, vocabulary.token_id
        self.is_eog, self.end_replies_at = vocabulary.is_eog, vocabulary.end_replies_at

    @classmethod
    async def open(
        cls,
        path: Path,
        settings: EngineSettings | None = None,
        notice: Callable[[str], None] = lambda _text: None,
        prompt_store: PromptCacheStore | None = None,
        chat_template: str | None = None,
        needs: ContextNeeds | None = None,
    ) -> Self:
        """Load a GGUF file. `prompt_store` stores the KV states of long prompts for other
        processes; `needs` are those of a context whose size is not set.

        Raises BadModelFile for a file that llama.cpp cannot load or continue text with, and
        EngineError when the context cannot be allocated.
        """
        chosen = settings or EngineSettings()
        context = await asyncio.to_thread(LlamaContext, path, chosen, notice, needs)
        return cls(context, prompt_store, chat_template)

    @property
    def decoded_tokens(self) -> int:
        """Tokens decoded since the engine was opened, prompts and replies together."""
        return self._worker.scheduler.decoded_tokens

    @property
    def end_tokens(self) -> tuple[int, ...]:
        return self._vocabulary.end_tokens

    @property
    def control_tokens(self) -> tuple[int, ...]:
        return self._vocabulary.control_tokens

    def same_vocabulary(self, other: Engine) -> bool:
        if not isinstance(other, LocalEngine):
            return False
        own, others = self._vocabulary, other._vocabulary
        return own.size == others.size and all(
            own.piece(token, special=True) == others.piece(token, special=True)
            for token in range(own.size)
        )

    @property
    def bos(self) -> int | None:
        return self._vocabulary.bos

    @property
    def eos(self) -> int | None:
        return self._vocabulary.eos

    def generate(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        controller: Controller | None = None,
        max_tokens: int | None = None,
        seed: int = 0,
        ignored_ends: Collection[int] = (),
    ) -> LocalGeneration:
        prompt = self._prompt_array(tokens)
        queue: asyncio.Queue[RequestOutput] = asyncio.Queue()
        request = GenerateRequest(
            prompt,
            self._worker.output_queue.emitter(queue),
            sampling=sampling,
            controller=controller,
            max_tokens=max_tokens or self.n_ctx,
            seed=seed,
            ignored_ends=frozenset(ignored_ends),
        )
        self._worker.submit(request)
        return LocalGeneration(request, queue, self._worker)

    async def token_logprobs(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        targets: Sequence[Sequence[int]],
        on_decoded: OnDecoded | None = None,
    ) -> list[tuple[float, ...]]:
        targets_at = dict(zip(positions, targets, strict=True))
        rows: dict[int, tuple[float, ...]] = {}

        def visit(position: int, row: npt.NDArray[np.float32]) -> None:
            total, _ = log_sum_exp(row, self._context.logits_buffer)
            logprobs = (float(row[target] - total) for target in targets_at[position])
            rows[position] = tuple(max(MIN_LOGPROB, logprob) for logprob in logprobs)

        await self._prefill(tokens, positions, visit, False, on_decoded)
        return [rows[position] for position in positions]

    async def top_tokens(
        self, tokens: Sequence[int], count: int, on_decoded: OnDecoded | None = None
    ) -> list[tuple[int, float]]:
        candidates: list[tuple[int, float]] = []

        def visit(_position: int, row: npt.NDArray[np.float32]) -> None:
            total, _ = log_sum_exp(row, self._context.logits_buffer)
            best = np.argpartition(row, -min(count, len(row)))[-count:]
            best = best[np.argsort(-row[best])]
            candidates.extend((int(token), float(row[token]) - total) for token in best)

        await self._prefill(tokens, [len(tokens) - 1], visit, False, on_decoded)
        return candidates

    async def token_statistics(
        self, tokens: Sequence[int], begin: int, on_decoded: OnDecoded | None = None
    ) -> list[TokenStatistics]:
        statistics: dict[int, TokenStatistics] = {}

        def visit(position: int, row: npt.NDArray[np.float32]) -> None:
            total, entropy = log_sum_exp(row, self._context.logits_buffer)
            statistics[position] = TokenStatistics(
                total - float(row[tokens[position + 1]]), entropy
            )

        positions = range(begin - 1, len(tokens) - 1)
        await self._prefill(tokens, positions, visit, False, on_decoded)
        return [statistics[position] for position in positions]

    async def hidden_states(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        on_decoded: OnDecoded | None = None,
    ) -> npt.NDArray[np.float32]:
        states: dict[int, npt.NDArray[np.float32]] = {}

        def visit(position: int, row: npt.NDArray[np.float32]) -> None:
            states[position] = row.copy()

        await self._prefill(tokens, positions, visit, True, on_decoded)
        return np.stack([states[position] for position in positions])

    def release_prefix(
        self, tokens: Sequence[int], keep: int = 0, include_extensions: bool = False
    ) -> None:
        ids = np.array(tokens, np.int32)
        self._worker.call(
            lambda scheduler: scheduler.cache.release_prefix(ids, keep, include_extensions)
        )

    async def count_cells(self) -> int:
        """Return the number of KV cells in use, shared ones counted once."""
        loop = asyncio.get_running_loop()
        cell_count: asyncio.Future[int] = loop.create_future()

        def count(scheduler: Scheduler) -> None:
            cells = scheduler.cache.count_cells(scheduler.cache.sequences())
            loop.call_soon_threadsafe(cell_count.set_result, cells)

        self._worker.call(count)
        return await cell_count

    async def close(self) -> None:
        self._worker.stop()
        await asyncio.to_thread(self._worker.join)
        self._worker.context.free_model()

    def _prompt_array(self, tokens: Sequence[int]) -> npt.NDArray[np.int32]:
        if not tokens:
            raise ValueError("no tokens to continue")
        if len(tokens) >= self.n_ctx:
            raise PromptTooLong(len(tokens), self.n_ctx)
        return np.array(tokens, np.int32)

    async def _prefill(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        visit: Callable[[int, npt.NDArray[np.float32]], None],
        hidden: bool,
        on_decoded: OnDecoded | None,
    ) -> None:
        if not positions or not 0 <= min(positions) <= max(positions) < len(tokens):
            raise ValueError("positions must lie within the tokens")
        queue: asyncio.Queue[RequestOutput] = asyncio.Queue()
        request: Request = PrefillRequest(
            self._prompt_array(tokens),
            self._worker.output_queue.emitter(queue),
            positions=frozenset(positions),
            on_row=visit,
            hidden=hidden,
        )
        self._worker.submit(request)
        try:
            item = await queue.get()
        except asyncio.CancelledError:
            self._worker.cancel(request)
            raise
        if isinstance(item, BaseException):
            raise item
        if item is Finish.CANCELLED:
            raise EngineError("the model was closed while it was read")
        if on_decoded is not None:
            on_decoded(request.decoded_tokens)
