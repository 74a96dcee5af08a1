"""A cache of verdicts, so that the same answer to the same question is not checked twice.

Only plugins that declare their verdicts lasting are cached, only `pass` and `fail`, and only
verdicts that took longer to reach than a lookup takes.
"""

import json
import time

from reasoner.cache.disk_cache import DiskCache, open_disk_cache
from reasoner.cache.fingerprint import environment_fingerprint, fingerprint
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = ["SLOW_CHECK_SECONDS", "DiskVerdictCache", "open_verdict_cache"]

MIN_CACHED_SECONDS = 0.02
"""Quicker checks are run again."""
SLOW_CHECK_SECONDS = 5.0
"""Seconds from which a check's outcome may depend on the machine's speed."""
PROBLEM_FIELDS = ("question", "expect", "tests", "entry_point")
"""The fields of a problem that verdicts depend on."""


class DiskVerdictCache:
    """Verdicts by plugin, problem and submission, in the disk cache `verdicts`."""

    def __init__(self, cache: DiskCache | None = None) -> None:
        self._cache = cache or open_disk_cache("verdicts")

    def get(self, plugin: str, problem: Problem, submission: Submission) -> Verdict | None:
        """The plugin's cached verdict, or None; its `seconds` are the duration of the lookup."""
        start = time.monotonic()
        data = self._cache.get(_key(plugin, problem, submission))
        try:
            verdict = None if data is None else Verdict.model_validate_json(data)
        except ValueError:
            return None
        if verdict is None:
            return None
        seconds = time.monotonic() - start
        return verdict.model_copy(update={"cached": True, "seconds": seconds})

    def put(self, plugin: str, problem: Problem, submission: Submission, verdict: Verdict) -> None:
        """Store a verdict if it is decided and neither too quick nor too slow."""
        is_decided = verdict.outcome in (Outcome.PASS, Outcome.FAIL)
        if is_decided and MIN_CACHED_SECONDS <= verdict.seconds < SLOW_CHECK_SECONDS:
            value = json.dumps(verdict.model_dump(mode="json"))  # escapes lone surrogates
            self._cache.put(_key(plugin, problem, submission), value.encode())

    def close(self) -> None:
        """Close the disk cache."""
        self._cache.close()


def open_verdict_cache(settings: Settings) -> DiskVerdictCache | None:
    """The verdict cache, or None when the settings turn caching off."""
    return DiskVerdictCache() if settings.cache else None


def _key(plugin: str, problem: Problem, submission: Submission) -> bytes:
    return fingerprint(
        {
            "plugin": plugin,
            "problem": problem.model_dump(include=set(PROBLEM_FIELDS)),
            "candidate": submission.model_dump(mode="json"),
            "surroundings": environment_fingerprint(),
        }
    )
