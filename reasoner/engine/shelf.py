"""The prompt cache: KV states of long prompts, stored after their prefill and restored later, also
by other processes."""

from typing import Protocol

import numpy as np

from reasoner.engine.context import Context
from reasoner.engine.prefix import Ids, PrefixCache, Sequence
from reasoner.engine.request import Generate, Request

__all__ = ["LEAST", "Librarian", "Shelf"]

LEAST = 256
"""Prompts of fewer tokens are prefilled as fast as they are restored."""


class Shelf(Protocol):
    """A store of KV states outside the process. Called by the engine's worker thread."""

    def find(self, tokens: Ids, least: int) -> tuple[Ids, bytes] | None:
        """Return the stored prompt with the longest prefix in common with `tokens` and its KV
        state, or None when the prefix has fewer than `least` tokens."""

    def keep(self, tokens: Ids, cells: bytes) -> None:
        """Store a prompt and its KV state in the background; returns at once."""


class Librarian:
    """Moves KV states between the engine's cells and a store."""

    def __init__(self, context: Context, cache: PrefixCache, shelf: Shelf | None) -> None:
        self._context, self._cache = context, cache
        self._shelf = shelf if context.can_fork else None
        self._read: list[tuple[Sequence, Ids]] = []

    def fetch(self, request: Request) -> None:
        """Restore the beginning of a request's prompt into an idle sequence.

        Does nothing on a second call, when the store has not many more of its tokens than the
        cells, or when there are too few free cells. An error of the store disables it.
        """
        if self._shelf is None or request.sought or request.reusable < LEAST:
            return
        request.sought = True
        try:
            self._fetch(request, self._shelf)
        except Exception:  # a broken store must not fail the request
            self._shelf = None

    def _fetch(self, request: Request, shelf: Shelf) -> None:
        _, held = self._cache.longest_prefix(request)
        held = max(held, self._cache.promised_prefix(request))
        found = shelf.find(request.ids[: request.reusable], held + LEAST)
        if found is not None and self._fits(len(found[0])):
            self._cache.restore(*found)

    def note(self, sequence: Sequence, request: Request) -> None:
        """Remember a completely prefilled prompt for `shelve` if many of its tokens were new."""
        if self._shelf is None or not isinstance(request, Generate):
            return
        whole = len(sequence.tokens) == len(request.prompt)
        if whole and request.decoded_tokens >= LEAST:
            self._read.append((sequence, request.prompt))

    def shelve(self) -> None:
        """Store the prompts that were prefilled in the last step: their first tokens are sampled,
        and their cells have not changed yet."""
        while self._read and self._shelf is not None:
            sequence, prompt = self._read.pop()
            try:
                if sequence in self._cache.live() and np.array_equal(sequence.view(), prompt):
                    self._shelf.keep(prompt, self._context.save(sequence.id))
            except Exception:
                self._shelf = None

    def _fits(self, count: int) -> bool:
        return self._cache.held(self._cache.live()) + count < self._context.n_cells
