"""The prompt cache: KV states of long prompts, stored after their prefill and restored later, also
by other processes."""

from typing import Protocol

import numpy as np

from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.prefix_cache import PrefixCache, Sequence, TokenArray
from reasoner.engine.local.request import GenerateRequest, Request

__all__ = ["MIN_PROMPT_TOKENS", "PromptCache", "PromptCacheStore"]

MIN_PROMPT_TOKENS = 256
"""Prompts of fewer tokens are prefilled as fast as they are restored."""


class PromptCacheStore(Protocol):
    """A store of KV states outside the process. Called by the engine's worker thread."""

    def lookup_prompt(self, tokens: TokenArray, min_tokens: int) -> tuple[TokenArray, bytes] | None:
        """Return the stored prompt with the longest prefix in common with `tokens` and its KV
        state, or None when the prefix has fewer than `min_tokens` tokens."""

    def store_prompt(self, tokens: TokenArray, kv_state: bytes) -> None:
        """Store a prompt and its KV state in the background; returns at once."""


class PromptCache:
    """Moves KV states between the engine's cells and a store."""

    def __init__(
        self, context: LlamaContext, cache: PrefixCache, store: PromptCacheStore | None
    ) -> None:
        self._context, self._cache = context, cache
        self._store = None if context.is_recurrent else store
        self._prefilled: list[tuple[Sequence, TokenArray]] = []

    def restore_prefix(self, request: Request) -> None:
        """Restore the beginning of a request's prompt into an idle sequence.

        Does nothing on a second call, when the store has not many more of its tokens than the
        cells, or when there are too few free cells. An error of the store disables it.
        """
        if (
            self._store is None
            or request.looked_up
            or request.max_cached_tokens < MIN_PROMPT_TOKENS
        ):
            return
        request.looked_up = True
        try:
            self._fetch(request, self._store)
        except Exception:  # a broken store must not fail the request
            self._store = None

    def _fetch(self, request: Request, store: PromptCacheStore) -> None:
        _, cached_tokens = self._cache.longest_prefix(request)
        cached_tokens = max(cached_tokens, self._cache.longest_pending_prefix(request))
        prompt_state = store.lookup_prompt(
            request.token_array[: request.max_cached_tokens], cached_tokens + MIN_PROMPT_TOKENS
        )
        if prompt_state is not None and self._fits(len(prompt_state[0])):
            self._cache.restore(*prompt_state)

    def record_prefill(self, sequence: Sequence, request: Request) -> None:
        """Remember a completely prefilled prompt for `store_prompts` if many of its tokens were
        new."""
        if self._store is None or not isinstance(request, GenerateRequest):
            return
        is_complete = len(sequence.tokens) == len(request.prompt)
        if is_complete and request.decoded_tokens >= MIN_PROMPT_TOKENS:
            self._prefilled.append((sequence, request.prompt))

    def store_prompts(self) -> None:
        """Store the prompts that were prefilled in the last step: their first tokens are sampled,
        and their cells have not changed yet."""
        while self._prefilled and self._store is not None:
            sequence, prompt = self._prefilled.pop()
            try:
                if sequence in self._cache.sequences() and np.array_equal(
                    sequence.token_array(), prompt
                ):
                    self._store.store_prompt(prompt, self._context.save(sequence.id))
            except Exception:
                self._store = None

    def _fits(self, count: int) -> bool:
        return self._cache.count_cells(self._cache.sequences()) + count < self._context.n_cells
