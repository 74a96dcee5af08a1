"""Whole results by everything they depend on, so that the same question is not worked out twice.

Only what is fixed by its key is kept: nothing that was interrupted, that the clock cut short, that
a check broke on, or that a tool's output went into.
"""

import json
from collections.abc import Iterator
from datetime import date
from time import monotonic
from typing import Any

from reasoner.errors import ReasonerError
from reasoner.events import Event, ResultEvent, StartEvent, StepEvent, TextEvent, VerdictEvent
from reasoner.problem import Problem
from reasoner.protocol.spoken import spoken
from reasoner.result import Result, Usage
from reasoner.settings import Effort, Settings
from reasoner.store.fingerprint import digest, files, surroundings
from reasoner.store.vault import Vault, open_vault
from reasoner.store.verdicts import SLOW

__all__ = ["Results", "replay"]

SELF = "self"
IRRELEVANT = {"history", "cache", "cache_size", "offline", "server", "api_key"}
"""Settings that change no answer."""
HURRY = 0.8
"""The part of a time limit after which reasoning is closed because of it."""


class Results:
    """The results cache. Looking one up reads no model and imports nothing heavy."""

    def __init__(self, vault: Vault | None = None) -> None:
        self._vault = vault or open_vault("results")
        self._checksums: dict[str, str | None] = {}

    def find(self, problem: Problem, settings: Settings) -> Result | None:
        """The result of the same question under the same conditions, or None; its usage is what
        finding it took."""
        begun = monotonic()
        key = self._key(problem, settings) if settings.cache else None
        kept = None if key is None else self._vault.get(key)
        result = None if kept is None else _read(kept)
        if result is None:
            return None
        usage = Usage(seconds=monotonic() - begun)
        return result.model_copy(update={"cached": True, "usage": usage})

    def keep(
        self, problem: Problem, settings: Settings, result: Result, *, dated: bool = False
    ) -> None:
        """Keep a result, if it can be; a `dated` one, whose prompt tells the date, for today."""
        if not settings.cache or not _fixed(result, settings):
            return
        key = self._key(problem, settings, hash_files=True)
        if key is not None:
            entry = {"day": str(date.today()) if dated else None, "result": result}
            self._vault.put(key, json.dumps(entry, default=_dump).encode(errors="replace"))

    def close(self) -> None:
        self._vault.close()

    def _key(
        self, problem: Problem, settings: Settings, *, hash_files: bool = False
    ) -> bytes | None:
        """The key, or None when a model's content is not known yet; `hash_files` finds it out.
        What a server has loaded is never known."""
        if settings.server:
            return None
        named = [settings.model, *dict(settings.value_models), settings.value_head]
        sums = {str(name): self._checksum(str(name), hash_files) for name in named if name}
        if None in [checksum for name, checksum in sums.items() if name != SELF]:
            return None
        return digest(
            {
                "problem": problem.model_dump(),
                "settings": settings.model_dump(exclude=IRRELEVANT),
                "models": sums,
                "surroundings": surroundings(),
            }
        )

    def _checksum(self, name: str, hash_files: bool) -> str | None:
        """A model's, with its head's, or another file's; None when it is not here, or when it was
        never hashed and is not to be hashed now."""
        from reasoner.models.checksum import known_checksum, model_checksum
        from reasoner.models.here import find_model

        if self._checksums.get(name) is None and name != SELF:
            checksum = model_checksum if hash_files else known_checksum
            try:
                model = find_model(name)
                found = checksum(model.path) if model else None
                head = model.spec.head if model and model.spec else None
                self._checksums[name] = f"{found} {files(head)}" if found and head else found
            except (ReasonerError, OSError):
                self._checksums[name] = None
        return self._checksums.get(name)


def replay(result: Result, effort: Effort) -> Iterator[Event]:
    """The events of a result that was not worked out now: its steps, its answer, its checks."""
    path = result.candidates[0].number if result.candidates else 0
    yield StartEvent(
        model=result.model,
        effort=effort,
        strategy=result.strategy,
        seed=result.seed,
        live="reply",
    )
    for index, step in enumerate(result.reasoning):
        yield TextEvent(path=path, channel="reasoning", text=spoken(step))
        yield StepEvent(path=path, index=index, step=step)
    if result.answer:
        yield TextEvent(path=path, channel="answer", text=result.answer)
    for verdict in result.verdicts:
        yield VerdictEvent(path=path, verdict=verdict)
    yield ResultEvent(result=result)


def _fixed(result: Result, settings: Settings) -> bool:
    """Whether the same would come out again."""
    hurried = settings.seconds is not None and result.usage.seconds >= HURRY * settings.seconds
    broken = any(v.outcome == "error" or v.seconds >= SLOW for v in result.verdicts)
    stopped = result.finish_reason == "interrupted"
    searched = result.strategy != "linear"  # then lines that are not shown may have called tools
    called = settings.tools != "off" and (searched or any(step.call for step in result.reasoning))
    return not (hurried or broken or stopped or called or result.cached)


def _read(kept: bytes) -> Result | None:
    try:
        entry = json.loads(kept)
        if entry["day"] not in (None, str(date.today())):
            return None
        return Result.model_validate(entry["result"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _dump(result: Result) -> Any:
    return result.model_dump(mode="json")
