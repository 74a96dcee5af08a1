"""KV states of prefilled prompts on disk, so that a later process need not prefill them again.

The keys contain everything that the states depend on: the model's checksum, llama.cpp's build, the
KV cache's type and the kind of attention. An index under the same key lists the prompts' tokens.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from reasoner.cache.disk_cache import DiskCache, open_disk_cache
from reasoner.cache.fingerprint import engine_fingerprint, fingerprint
from reasoner.engine.local.prefix_cache import TokenArray, common_prefix
from reasoner.errors import ReasonerError
from reasoner.models.checksum import cached_checksum, model_checksum
from reasoner.settings import EngineSettings, Settings

__all__ = ["DiskPromptCache", "open_prompt_cache"]

MAX_PROMPTS = 32
"""Prompts kept for one model; each is compared with a new one."""


@contextmanager
def open_prompt_cache(
    model: Path, settings: Settings, engine: EngineSettings | None = None
) -> "Iterator[DiskPromptCache | None]":
    """The disk cache for a model's prompts, or None when the settings turn it off. `engine` is used
    in place of its engine settings. Leaving the context waits until every state is written."""
    if not settings.cache or settings.cache_size == 0:
        yield None
        return
    with ThreadPoolExecutor(1, thread_name_prefix="reasoner-prompts") as writer:
        yield DiskPromptCache(model, engine or settings.engine, writer)


class DiskPromptCache:
    """The prompt cache that the engine is given. States are written in the thread of `writer`."""

    def __init__(self, model: Path, engine: EngineSettings, writer: ThreadPoolExecutor) -> None:
        self._model, self._engine, self._writer = model, engine, writer

    def lookup_prompt(self, tokens: TokenArray, min_tokens: int) -> tuple[TokenArray, bytes] | None:
        """The cached prompt that shares the longest prefix with `tokens`, as its token ids and its
        KV state; None when no prefix has at least `min_tokens` tokens."""
        checksums = [cached_checksum(path) for path in self._files()]
        if None in checksums:
            return None
        scope = self._scope(checksums)
        with _open_cache() as cache:
            prompts = [np.array(ids, np.int32) for ids in _parse_index(cache.get(scope))]
            prompts.sort(key=lambda ids: common_prefix(ids, tokens), reverse=True)
            for ids in prompts:
                if common_prefix(ids, tokens) < min_tokens:
                    return None
                if (cells := cache.get(_key(scope, ids))) is not None:
                    return ids, cells
        return None

    def store_prompt(self, tokens: TokenArray, kv_state: bytes) -> None:
        """Store the KV state of a prompt, later and in another thread."""
        self._writer.submit(self._write, tokens.copy(), kv_state)

    def _write(self, tokens: TokenArray, cells: bytes) -> None:
        try:
            scope = self._scope([model_checksum(path) for path in self._files()])
        except ReasonerError:
            return
        with _open_cache() as cache:
            if cache.put(_key(scope, tokens), cells):
                cache.update(scope, lambda old: _with_prompt(cache, scope, old, tokens))

    def _files(self) -> list[Path]:
        return [self._model, *(adapter.path.expanduser() for adapter in self._engine.lora)]

    def _scope(self, checksums: Sequence[str | None]) -> bytes:
        engine = self._engine
        layout = [engine.kv_type, engine.flash_attention, engine.gpu_layers]
        scales = [adapter.scale for adapter in engine.lora]
        return fingerprint(["prompts", checksums, scales, engine_fingerprint(), layout])


def _with_prompt(cache: DiskCache, scope: bytes, old: bytes | None, tokens: TokenArray) -> bytes:
    """The index with one more prompt. Prompts that are prefixes of it are dropped, and the oldest
    ones beyond MAX_PROMPTS."""
    entries = [np.array(ids, np.int32) for ids in _parse_index(old)]
    covered = [ids for ids in entries if common_prefix(ids, tokens) == len(ids)]
    others = [ids for ids in entries if common_prefix(ids, tokens) < len(ids)]
    for ids in covered + others[: -MAX_PROMPTS + 1]:
        if not np.array_equal(ids, tokens):
            cache.delete(_key(scope, ids))
    prompts: list[Any] = [ids.tolist() for ids in [*others[-MAX_PROMPTS + 1 :], tokens]]
    return json.dumps(prompts).encode()


def _parse_index(index: bytes | None) -> list[list[int]]:
    return [] if index is None else json.loads(index)


def _key(scope: bytes, tokens: TokenArray) -> bytes:
    return fingerprint([scope.hex(), tokens.tolist()])


@contextmanager
def _open_cache() -> Iterator[DiskCache]:
    """The cache, opened for each use, because a connection belongs to the thread that made it."""
    cache = open_disk_cache("prompts")
    try:
        yield cache
    finally:
        cache.close()
