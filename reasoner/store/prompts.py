"""Prompts as a model has read them: the cells of its KV cache, on disk, for the next process.

Kept under everything that decides what the numbers mean: the model's checksum, llama.cpp's build,
the cells' type and the kind of attention. An index by the same key lists the prompts by tokens.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from reasoner.engine.prefix import Ids, common_prefix
from reasoner.errors import ReasonerError
from reasoner.models import model_checksum
from reasoner.models.checksum import known_checksum
from reasoner.settings import EngineSettings, Settings
from reasoner.store.fingerprint import digest, engine_build
from reasoner.store.vault import Vault, open_vault

__all__ = ["Prompts", "prompt_shelf"]

MOST = 32
"""Prompts kept for one model; each is compared with a new one."""


@contextmanager
def prompt_shelf(model: Path, settings: Settings) -> "Iterator[Prompts | None]":
    """The shelf for a model's prompts, or None where nothing may be kept; leaving it waits until
    all is written."""
    if not settings.cache or settings.cache_size == 0:
        yield None
        return
    with ThreadPoolExecutor(1, thread_name_prefix="reasoner-prompts") as writer:
        yield Prompts(model, settings.engine, writer)


class Prompts:
    """See `Shelf`. Writing happens in the thread of `writer`."""

    def __init__(self, model: Path, engine: EngineSettings, writer: ThreadPoolExecutor) -> None:
        self._model, self._engine, self._writer = model, engine, writer

    def find(self, tokens: Ids, least: int) -> tuple[Ids, bytes] | None:
        checksum = known_checksum(self._model)
        if checksum is None:
            return None
        scope = self._scope(checksum)
        with _vault() as vault:
            kept = [np.array(ids, np.int32) for ids in _entries(vault.get(scope))]
            kept.sort(key=lambda ids: common_prefix(ids, tokens), reverse=True)
            for ids in kept:
                if common_prefix(ids, tokens) < least:
                    return None
                if (cells := vault.get(_key(scope, ids))) is not None:
                    return ids, cells
        return None

    def keep(self, tokens: Ids, cells: bytes) -> None:
        self._writer.submit(self._write, tokens.copy(), cells)

    def _write(self, tokens: Ids, cells: bytes) -> None:
        try:
            scope = self._scope(model_checksum(self._model))
        except ReasonerError:
            return
        with _vault() as vault:
            if vault.put(_key(scope, tokens), cells):
                vault.update(scope, lambda old: _listed(vault, scope, old, tokens))

    def _scope(self, checksum: str) -> bytes:
        engine = self._engine
        layout = [engine.kv_type, engine.flash_attention, engine.gpu_layers]
        return digest(["prompts", checksum, engine_build(), layout])


def _listed(vault: Vault, scope: bytes, old: bytes | None, tokens: Ids) -> bytes:
    """The index with a prompt more. Those that it begins with, and the oldest, are given up."""
    entries = [np.array(ids, np.int32) for ids in _entries(old)]
    covered = [ids for ids in entries if common_prefix(ids, tokens) == len(ids)]
    kept = [ids for ids in entries if common_prefix(ids, tokens) < len(ids)]
    for ids in covered + kept[: -MOST + 1]:
        if not np.array_equal(ids, tokens):
            vault.drop(_key(scope, ids))
    listed: list[Any] = [ids.tolist() for ids in [*kept[-MOST + 1 :], tokens]]
    return json.dumps(listed).encode()


def _entries(index: bytes | None) -> list[list[int]]:
    return [] if index is None else json.loads(index)


def _key(scope: bytes, tokens: Ids) -> bytes:
    return digest([scope.hex(), tokens.tolist()])


@contextmanager
def _vault() -> Iterator[Vault]:
    """Opened anew each time: a connection belongs to the thread it was made in."""
    vault = open_vault("prompts")
    try:
        yield vault
    finally:
        vault.close()
