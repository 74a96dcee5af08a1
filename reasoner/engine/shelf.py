"""Prompts that outlive the process: cells are put on a shelf once they are read, and fetched from
there before anybody reads them again."""

from typing import Protocol

import numpy as np

from reasoner.engine.context import Context
from reasoner.engine.prefix import Ids, PrefixCache, Sequence
from reasoner.engine.request import Generate, Request

__all__ = ["LEAST", "Librarian", "Shelf"]

LEAST = 256
"""Tokens below which reading them is no slower than fetching them."""


class Shelf(Protocol):
    """A place for what llama.cpp's cells hold. Called by the engine's thread."""

    def find(self, tokens: Ids, least: int) -> tuple[Ids, bytes] | None:
        """The kept prompt that has most leading tokens in common with `tokens`, and its cells;
        None when none has as many as `least`."""

    def keep(self, tokens: Ids, cells: bytes) -> None:
        """Keep them, some time later; returns at once."""


class Librarian:
    """Carries prompts between the cells and a shelf."""

    def __init__(self, context: Context, cache: PrefixCache, shelf: Shelf | None) -> None:
        self._context, self._cache = context, cache
        self._shelf = shelf if context.can_fork else None
        self._read: list[tuple[Sequence, Ids]] = []

    def fetch(self, request: Request) -> None:
        """Put the beginning of a request's prompt into an idle sequence, once, if the shelf has
        notably more of it than the cells have and the cells have room."""
        if self._shelf is None or request.sought or request.reusable < LEAST:
            return
        request.sought = True
        try:
            self._fetch(request, self._shelf)
        except Exception:  # no shelf is worth a request
            self._shelf = None

    def _fetch(self, request: Request, shelf: Shelf) -> None:
        _, held = self._cache.longest_prefix(request)
        held = max(held, self._cache.promised_prefix(request))
        found = shelf.find(request.ids[: request.reusable], held + LEAST)
        if found is not None and self._fits(len(found[0])):
            self._cache.restore(*found)

    def note(self, sequence: Sequence, request: Request) -> None:
        """A prompt has just been read: if much of it was new, it is worth keeping."""
        if self._shelf is None or not isinstance(request, Generate):
            return
        whole = len(sequence.tokens) == len(request.prompt)
        if whole and request.decoded_tokens >= LEAST:
            self._read.append((sequence, request.prompt))

    def shelve(self) -> None:
        """Keep what was read in the last tick, now that its first tokens are on their way and
        before its cells change."""
        while self._read and self._shelf is not None:
            sequence, prompt = self._read.pop()
            try:
                if sequence in self._cache.live() and np.array_equal(sequence.view(), prompt):
                    self._shelf.keep(prompt, self._context.save(sequence.id))
            except Exception:
                self._shelf = None

    def _fits(self, count: int) -> bool:
        return self._cache.held(self._cache.live()) + count < self._context.n_cells
