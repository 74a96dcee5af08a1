"""What checks said, so that the same reply to the same question is not checked twice.

Only plugins that call their verdicts lasting are remembered, only what they decided, and only
what took longer to decide than it takes to look up.
"""

import json
import time

from reasoner.problem import Problem
from reasoner.settings import Settings
from reasoner.store.fingerprint import digest, surroundings
from reasoner.store.vault import Vault, open_vault
from reasoner.verdict import Candidate, Outcome, Verdict

__all__ = ["SLOW", "Verdicts", "open_verdicts"]

WORTH_KEEPING = 0.02
"""Seconds; what is quicker is asked again."""
SLOW = 5.0
"""Seconds from which on the outcome may be the clock's doing."""
QUESTION = ("question", "expect", "tests", "entry_point")
"""What of a problem plugins judge by."""


class Verdicts:
    """The verdicts cache."""

    def __init__(self, vault: Vault | None = None) -> None:
        self._vault = vault or open_vault("verdicts")

    def find(self, plugin: str, problem: Problem, candidate: Candidate) -> Verdict | None:
        """What the plugin said about this before; its seconds are what finding it took."""
        begun = time.monotonic()
        kept = self._vault.get(_key(plugin, problem, candidate))
        try:
            verdict = None if kept is None else Verdict.model_validate_json(kept)
        except ValueError:
            return None
        if verdict is None:
            return None
        spent = time.monotonic() - begun
        return verdict.model_copy(update={"cached": True, "seconds": spent})

    def keep(self, plugin: str, problem: Problem, candidate: Candidate, verdict: Verdict) -> None:
        """Remember a verdict that is worth it."""
        decided = verdict.outcome in (Outcome.PASS, Outcome.FAIL)
        if decided and WORTH_KEEPING <= verdict.seconds < SLOW:
            value = json.dumps(verdict.model_dump(mode="json"))  # also of halves of characters
            self._vault.put(_key(plugin, problem, candidate), value.encode())

    def close(self) -> None:
        self._vault.close()


def open_verdicts(settings: Settings) -> Verdicts | None:
    """The cache, unless the settings are against it."""
    return Verdicts() if settings.cache else None


def _key(plugin: str, problem: Problem, candidate: Candidate) -> bytes:
    return digest(
        {
            "plugin": plugin,
            "problem": problem.model_dump(include=set(QUESTION)),
            "candidate": candidate.model_dump(mode="json"),
            "surroundings": surroundings(),
        }
    )
