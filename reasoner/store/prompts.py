"""KV states of prefilled prompts on disk, so that a later process need not prefill them again.

The keys contain everything that the states depend on: the model's checksum, llama.cpp's build, the
KV cache's type and the kind of attention. An index under the same key lists the prompts' tokens.
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
from reasoner.models.checksum import known_checksum, model_checksum
from reasoner.settings import EngineSettings, Settings
from reasoner.store.fingerprint import digest, engine_build
from reasoner.store.vault import Vault, open_vault

__all__ = ["Prompts", "prompt_shelf"]

MAX_PROMPTS = 32
"""Prompts kept for one model; each is compared with a new one."""


@contextmanager
def prompt_shelf(model: Path, settings: Settings) -> "Iterator[Prompts | None]":
    """The disk cache for a model's prompts, or None when the settings turn it off. Leaving the
    context waits until every state is written."""
    if not settings.cache or settings.cache_size == 0:
        yield None
        return
    with ThreadPoolExecutor(1, thread_name_prefix="reasoner-prompts") as writer:
        yield Prompts(model, settings.engine, writer)


class Prompts:
    """The prompt cache that the engine is given. States are written in the thread of `writer`."""

    def __init__(self, model: Path, engine: EngineSettings, writer: ThreadPoolExecutor) -> None:
        self._model, self._engine, self._writer = model, engine, writer

    def find(self, tokens: Ids, least: int) -> tuple[Ids, bytes] | None:
        """The cached prompt that shares the longest prefix with `tokens`, as its token ids and its
        KV state; None when no prefix has at least `least` tokens."""
        checksum = known_checksum(self._model)
        if checksum is None:
            return None
        scope = self._scope(checksum)
        with _open_cache() as vault:
            prompts = [np.array(ids, np.int32) for ids in _parse_index(vault.get(scope))]
            prompts.sort(key=lambda ids: common_prefix(ids, tokens), reverse=True)
            for ids in prompts:
                if common_prefix(ids, tokens) < least:
                    return None
                if (cells := vault.get(_key(scope, ids))) is not None:
                    return ids, cells
        return None

    def keep(self, tokens: Ids, cells: bytes) -> None:
        """Store the KV state of a prompt, later and in another thread."""
        self._writer.submit(self._write, tokens.copy(), cells)

    def _write(self, tokens: Ids, cells: bytes) -> None:
        try:
            scope = self._scope(model_checksum(self._model))
        except ReasonerError:
            return
        with _open_cache() as vault:
            if vault.put(_key(scope, tokens), cells):
                vault.update(scope, lambda old: _with_prompt(vault, scope, old, tokens))

    def _scope(self, checksum: str) -> bytes:
        engine = self._engine
        layout = [engine.kv_type, engine.flash_attention, engine.gpu_layers]
        return digest(["prompts", checksum, engine_build(), layout])


def _with_prompt(vault: Vault, scope: bytes, old: bytes | None, tokens: Ids) -> bytes:
    """The index with one more prompt. Prompts that are prefixes of it are dropped, and the oldest
    ones beyond MAX_PROMPTS."""
    entries = [np.array(ids, np.int32) for ids in _parse_index(old)]
    covered = [ids for ids in entries if common_prefix(ids, tokens) == len(ids)]
    others = [ids for ids in entries if common_prefix(ids, tokens) < len(ids)]
    for ids in covered + others[: -MAX_PROMPTS + 1]:
        if not np.array_equal(ids, tokens):
            vault.drop(_key(scope, ids))
    prompts: list[Any] = [ids.tolist() for ids in [*others[-MAX_PROMPTS + 1 :], tokens]]
    return json.dumps(prompts).encode()


def _parse_index(index: bytes | None) -> list[list[int]]:
    return [] if index is None else json.loads(index)


def _key(scope: bytes, tokens: Ids) -> bytes:
    return digest([scope.hex(), tokens.tolist()])


@contextmanager
def _open_cache() -> Iterator[Vault]:
    """The cache, opened for each use, because a connection belongs to the thread that made it."""
    vault = open_vault("prompts")
    try:
        yield vault
    finally:
        vault.close()
