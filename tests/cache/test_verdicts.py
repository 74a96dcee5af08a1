"""Which verdicts are found again, and which must not be."""

import time
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reasoner.cache.disk_cache import DiskCache
from reasoner.cache.verdicts import MIN_CACHED_SECONDS, DiskVerdictCache, open_verdict_cache
from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.plugin_host.host import PluginHost
from reasoner.settings import Settings
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

PROBLEM, CANDIDATE = Problem(question="?"), Submission(answer="4", final="4")
VERDICT = Verdict(verifier="p", outcome=Outcome.PASS, reason="fine", seconds=0.5)


class Fickle:
    """Takes its time, and says something else each time it is asked."""

    asked = 0

    @hookimpl
    def verify(self) -> Verdict:
        Fickle.asked += 1
        time.sleep(MIN_CACHED_SECONDS)
        return VERDICT.model_copy(update={"reason": f"for the {Fickle.asked}. time"})


class Lasting(Fickle):
    @hookimpl
    def is_deterministic(self) -> bool:
        return True


class Unsure(Fickle):
    @hookimpl
    def is_deterministic(self) -> bool:
        raise ZeroDivisionError("by design")


plugins = SimpleNamespace(fickle=Fickle(), lasting=Lasting(), unsure=Unsure())


@pytest.fixture
def kept(tmp_path: Path) -> DiskVerdictCache:
    return DiskVerdictCache(DiskCache(tmp_path / "verdicts", 10**7))


def test_a_verdict_is_found_again_for_the_same_things_only(kept: DiskVerdictCache) -> None:
    assert kept.get("p", PROBLEM, CANDIDATE) is None
    kept.put("p", PROBLEM, CANDIDATE, VERDICT)
    found = kept.get("p", PROBLEM, CANDIDATE)
    assert found is not None
    assert found.cached
    assert found.seconds < VERDICT.seconds
    plain = {"cached", "seconds"}
    assert found.model_dump(exclude=plain) == VERDICT.model_dump(exclude=plain)

    assert kept.get("q", PROBLEM, CANDIDATE) is None
    for change in ({"question": "!"}, {"expect": "4"}, {"tests": "assert 1"}, {"entry_point": "f"}):
        assert kept.get("p", PROBLEM.model_copy(update=change), CANDIDATE) is None
    for other in ({"answer": "5"}, {"final": None}, {"steps": ("4",)}, {"code": ("4",)}):
        assert kept.get("p", PROBLEM, CANDIDATE.model_copy(update=other)) is None
    kept.close()


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": Outcome.UNKNOWN},
        {"outcome": Outcome.ERROR},
        {"seconds": MIN_CACHED_SECONDS / 2},
        {"seconds": 9.0},
    ],
)
def test_what_was_not_decided_or_cost_nothing_is_not_kept(
    kept: DiskVerdictCache, change: dict[str, Any]
) -> None:
    kept.put("p", PROBLEM, CANDIDATE, VERDICT.model_copy(update=change))
    assert kept.get("p", PROBLEM, CANDIDATE) is None
    kept.close()


def test_text_that_is_no_unicode_breaks_nothing(kept: DiskVerdictCache) -> None:
    half = Submission(answer="\ud800", final="\ud800")
    kept.put("p", PROBLEM, half, VERDICT.model_copy(update={"reason": "it is \ud800"}))
    found = kept.get("p", PROBLEM, half)
    assert found is None or found.outcome is Outcome.PASS
    kept.close()


def test_a_kept_entry_that_is_no_verdict_is_not_used(tmp_path: Path) -> None:
    class Garbled(DiskCache):
        """Gives out what another version of the program may have written."""

        def get(self, key: bytes) -> bytes | None:
            return b'{"verdict": "yes"}'

    assert DiskVerdictCache(Garbled(tmp_path, 10**7)).get("p", PROBLEM, CANDIDATE) is None


@pytest.mark.parametrize(
    ("name", "again"), [("lasting", False), ("fickle", True), ("unsure", True)]
)
async def test_only_a_plugin_that_allows_it_is_remembered(
    kept: DiskVerdictCache, name: str, *, again: bool
) -> None:
    entry = EntryPoint(name=name, value=f"{__name__}:plugins.{name}", group="reasoner")
    with PluginHost(entry_points=[entry], verdict_cache=kept) as verifiers:
        (first,) = await verifiers.check(PROBLEM, CANDIDATE)
        (second,) = await verifiers.check(PROBLEM, CANDIDATE)
    assert not first.cached
    assert second.cached is not again
    assert (second.reason != first.reason) is again


def test_nothing_is_kept_where_the_settings_are_against_it(own_directories: Path) -> None:
    assert open_verdict_cache(Settings.load(cache=False)) is None
    opened = open_verdict_cache(Settings.load())
    assert opened is not None
    opened.close()
