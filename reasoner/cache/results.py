"""A cache of whole results, so that the same question is not worked out twice.

Only results that their key determines are kept: none that was interrupted, cut short by a time
limit, checked by a plugin that failed, or based on a tool's output.
"""

import json
from collections.abc import Iterator
from datetime import date
from time import monotonic
from typing import Any

from reasoner.cache.disk_cache import DiskCache, open_disk_cache
from reasoner.cache.fingerprint import environment_fingerprint, file_stamps, fingerprint
from reasoner.cache.verdicts import SLOW_CHECK_SECONDS
from reasoner.errors import ReasonerError
from reasoner.models.checksum import cached_checksum, model_checksum
from reasoner.models.installed import find_model
from reasoner.protocol.step_format import format_step
from reasoner.settings import Effort, Settings
from reasoner.types.events import Event, ResultEvent, StartEvent, StepEvent, TextEvent, VerdictEvent
from reasoner.types.problem import Problem
from reasoner.types.result import Result, Usage

__all__ = ["ResultCache", "replay_events"]

SELF = "self"
"""The value model's name when the policy scores its own steps; it has no file of its own."""
IRRELEVANT_SETTINGS = {"history", "cache", "cache_size", "offline", "server", "api_key"}
"""Settings that do not change the answer."""
MAX_TIME_SHARE = 0.8
"""The share of the time limit from which on the limit may have changed the result."""


class ResultCache:
    """Results by problem, settings, model checksums and environment, in the disk cache `results`. A
    lookup reads no model and imports nothing heavy."""

    def __init__(self, cache: DiskCache | None = None) -> None:
        self._cache = cache or open_disk_cache("results")
        self._checksums: dict[str, str | None] = {}

    def get(self, problem: Problem, settings: Settings) -> Result | None:
        """The cached result of the same problem under the same settings, or None; its usage is the
        duration of the lookup."""
        start = monotonic()
        key = self._key(problem, settings) if settings.cache else None
        data = None if key is None else self._cache.get(key)
        result = None if data is None else _parse_entry(data)
        if result is None:
            return None
        usage = Usage(seconds=monotonic() - start)
        return result.model_copy(update={"cached": True, "usage": usage})

    def put(
        self, problem: Problem, settings: Settings, result: Result, *, is_dated: bool = False
    ) -> None:
        """Store a result if its key determines it; a `is_dated` one, whose prompt contains the
        date, is valid for today only."""
        if not settings.cache or not _is_reproducible(result, settings):
            return
        key = self._key(problem, settings, hash_files=True)
        if key is not None:
            entry = {"day": str(date.today()) if is_dated else None, "result": result}
            self._cache.put(key, json.dumps(entry, default=_dump_result).encode(errors="replace"))

    def close(self) -> None:
        """Close the disk cache."""
        self._cache.close()

    def _key(
        self, problem: Problem, settings: Settings, *, hash_files: bool = False
    ) -> bytes | None:
        """The key, or None when a model's checksum is unknown; `hash_files` computes it then. The
        checksum of a server's model is never known."""
        if settings.server:
            return None
        adapters = [adapter.path for adapter in settings.engine.lora]
        names = [settings.model, *dict(settings.value_models), settings.value_head, *adapters]
        checksums = {str(name): self._checksum(str(name), hash_files) for name in names if name}
        if None in [checksum for name, checksum in checksums.items() if name != SELF]:
            return None
        return fingerprint(
            {
                "problem": problem.model_dump(),
                "settings": settings.model_dump(exclude=IRRELEVANT_SETTINGS),
                "models": checksums,
                "surroundings": environment_fingerprint(),
            }
        )

    def _checksum(self, name: str, hash_files: bool) -> str | None:
        """The checksum of a model, with the stamps of its head and adapters, or of another file.
        None when the file is not on this machine, or when it was never hashed and `hash_files` is
        off."""
        if self._checksums.get(name) is None and name != SELF:
            checksum_of = model_checksum if hash_files else cached_checksum
            try:
                model = find_model(name)
                checksum = checksum_of(model.path) if model else None
                spec = model.spec if model else None
                files = [adapter.path for adapter in spec.lora] if spec else []
                files += [spec.head] if spec and spec.head else []
                if checksum and files:
                    checksum = f"{checksum} {file_stamps(*files)}"
                self._checksums[name] = checksum
            except (ReasonerError, OSError):
                self._checksums[name] = None
        return self._checksums.get(name)


def replay_events(result: Result, effort: Effort) -> Iterator[Event]:
    """The events that a cached result is shown by: its steps, its answer, its verdicts."""
    number = result.candidates[0].number if result.candidates else 0
    yield StartEvent(
        model=result.model,
        effort=effort,
        strategy=result.strategy,
        seed=result.seed,
        live="reply",
    )
    for index, step in enumerate(result.reasoning):
        yield TextEvent(path=number, channel="reasoning", text=format_step(step))
        yield StepEvent(path=number, index=index, step=step)
    if result.answer:
        yield TextEvent(path=number, channel="answer", text=result.answer)
    for verdict in result.verdicts:
        yield VerdictEvent(path=number, verdict=verdict)
    yield ResultEvent(result=result)


def _is_reproducible(result: Result, settings: Settings) -> bool:
    """Whether the same problem and settings would give the same result again."""
    was_hurried = (
        settings.seconds is not None and result.usage.seconds >= MAX_TIME_SHARE * settings.seconds
    )
    check_failed = any(
        v.outcome == "error" or v.seconds >= SLOW_CHECK_SECONDS for v in result.verdicts
    )
    was_stopped = result.finish_reason == "interrupted"
    is_search = result.strategy != "linear"  # trajectories not shown may have called tools
    used_tools = settings.tools != "off" and (
        is_search or any(step.call for step in result.reasoning)
    )
    return not (was_hurried or check_failed or was_stopped or used_tools or result.cached)


def _parse_entry(data: bytes) -> Result | None:
    try:
        entry = json.loads(data)
        if entry["day"] not in (None, str(date.today())):
            return None
        return Result.model_validate(entry["result"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _dump_result(result: Result) -> Any:
    return result.model_dump(mode="json")
