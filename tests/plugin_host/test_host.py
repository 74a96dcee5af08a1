import time
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from reasoner.plugin_host import host, loading
from reasoner.plugin_host.host import PluginHost
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission

PROBLEM, CANDIDATE = Problem(question="?"), Submission(answer="4", final="4")


def entry(name: str, value: str = "") -> EntryPoint:
    where = value or f"tests.plugin_host.broken_plugins:plugins.{name}"
    return EntryPoint(name=name, value=where, group="reasoner")


async def test_broken_plugins_are_named_and_the_others_still_speak() -> None:
    notices: list[str] = []
    names = ("raises", "stops", "lies", "silent", "good", "wrong")
    entries = [*(entry(name) for name in names), entry("absent", "no.such.module")]
    with PluginHost(notices.append, entries) as verifiers:
        verdicts = {v.verifier: v for v in await verifiers.check(PROBLEM, CANDIDATE)}
    assert set(verdicts) == {"raises", "stops", "lies", "good"}
    assert verdicts["good"].outcome is Outcome.PASS
    assert {verdicts[name].outcome for name in ("raises", "stops", "lies")} == {Outcome.ERROR}
    assert "ZeroDivisionError: by design" in verdicts["raises"].reason
    assert "returned str" in verdicts["lies"].reason
    assert [notice.split("'")[1] for notice in notices] == ["absent", "wrong"]


async def test_a_known_answer_or_given_tests_have_the_last_word() -> None:
    question = Problem(question="What is 17 * 23?")
    with PluginHost() as verifiers:
        for told, proven in (
            ({}, True),
            ({"expect": "391"}, False),
            ({"expect": "381"}, False),
            ({"tests": "assert answer() == 381"}, False),
        ):
            asked = question.model_copy(update=told)
            said = await verifiers.check(asked, Submission(answer="391", final="391"))
            assert any(verdict.is_proof for verdict in said) is proven


async def test_the_first_plugin_that_can_frames_the_problem() -> None:
    notices: list[str] = []
    names = ("good", "breaks_frame", "empty_frame", "frames")
    with PluginHost(notices.append, map(entry, names)) as verifiers:
        frame = await verifiers.describe_environment(PROBLEM, ("a", "b"))
    assert frame is not None
    assert (frame.prompt_problem, frame.state) == (PROBLEM, "a b")
    [notice] = notices
    assert "'breaks_frame'" in notice
    assert "ZeroDivisionError" in notice
    with PluginHost(entry_points=[entry("good")]) as verifiers:
        assert await verifiers.describe_environment(PROBLEM, ()) is None


async def test_a_plugin_that_hangs_costs_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "GRACE_SECONDS", 0.2)
    began = time.monotonic()
    with PluginHost(entry_points=[entry("hangs"), entry("good")]) as verifiers:
        verdicts = await verifiers.check(PROBLEM, CANDIDATE, seconds=0.1)
    assert [v.outcome for v in verdicts] == [Outcome.PASS, Outcome.ERROR]
    assert time.monotonic() - began < 5


def test_plugins_are_described_with_versions_hooks_and_health() -> None:
    with PluginHost(entry_points=[entry("good"), entry("absent", "no.such.module")]) as verifiers:
        absent, good = verifiers.describe(health=True)
        assert verifiers.names() == ("good",)
    assert absent.error is not None
    assert "ModuleNotFoundError" in absent.error
    assert good.hooks == ("health", "verify")
    assert good.health == {"ok": True, "detail": "well"}


def test_the_plugins_that_come_along_are_found() -> None:
    with PluginHost() as verifiers:
        assert {"python_sandbox", "sympy_check"} <= set(verifiers.names())
        assert all(info.version for info in verifiers.describe())


@pytest.mark.slow
def test_a_module_that_hangs_at_loading_costs_its_time_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hanging_plugin.py").write_text("import time\ntime.sleep(30)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loading, "LOAD_SECONDS", 0.2)
    began = time.monotonic()
    with PluginHost(entry_points=[entry("slow", "hanging_plugin"), entry("good")]) as verifiers:
        assert verifiers.names() == ("good",)
        assert "TimeoutError" in (verifiers.describe()[1].error or "")
    assert time.monotonic() - began < 10


def test_plugins_that_hang_or_stop_when_asked_how_they_are_or_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loading, "HEALTH_SECONDS", 0.2)
    monkeypatch.setattr(loading, "CLOSE_SECONDS", 0.2)
    notices: list[str] = []
    with PluginHost(notices.append, [entry("lingers"), entry("exits")]) as verifiers:
        exits, lingers = verifiers.describe(health=True)
    assert exits.health is not None
    assert exits.health["ok"] is False
    assert "SystemExit" in str(exits.health["detail"])
    assert lingers.health is not None
    assert lingers.health["ok"] is False
    assert [notice.split("'")[1] for notice in notices] == ["exits", "lingers"]


def test_two_plugins_of_one_name_are_not_both_loaded() -> None:
    notices: list[str] = []
    twins = [
        entry("good"),
        EntryPoint("good", "tests.plugin_host.broken_plugins:plugins.raises", "reasoner"),
    ]
    with PluginHost(notices.append, twins) as verifiers:
        assert verifiers.names() == ("good",)
    assert ["the name is taken" in notice for notice in notices] == [True]


def test_what_the_person_permits_reaches_the_plugins() -> None:
    from python_sandbox import probe

    refused = probe.LayerChoice(None, "none", strong=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "_choice", [refused])
        with PluginHost(unsafe_exec=True):
            unsafe = probe.choose_layer()
        with PluginHost():
            assert probe.choose_layer() == refused
    assert unsafe.layer is not None
    assert unsafe.layer.name == "no sandbox"
