"""Traces as files: written whole or not at all, read back or refused in a line."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from reasoner.errors import BadTrace, Interrupted, ReasonerError, UsageError
from reasoner.settings import Settings
from reasoner.trace.trace import load_trace
from reasoner.trace.writer import TraceWriter
from reasoner.types.events import NoticeEvent, TextEvent
from reasoner.types.problem import Problem
from tests.trace.test_tree import FORK, result

PROBLEM = Problem(question='"q" \u2028 é')


@pytest.fixture
def settings(own_directories: Path) -> Settings:
    return Settings.load(seed=7)


def test_what_was_recorded_is_read_back(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "run.json"
    with TraceWriter(file, PROBLEM, settings) as tracer:
        for event in FORK:
            tracer.add_event(event)
        tracer.add_event(result(2))
        assert not file.exists()
    trace = load_trace(file)
    assert (trace.problem, trace.settings["seed"]) == (PROBLEM, 7)
    assert tuple(moment.event for moment in trace.events) == FORK
    assert (trace.result, trace.ended) == (result(2).result, "answered")
    assert json.loads(file.read_text())["result"]["final"] == "4"
    assert os.listdir(tmp_path) == ["run.json"]
    assert len(list(trace.tree().nodes())) == 4


def test_pieces_of_a_text_are_one_event(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "run.json"
    with TraceWriter(file, PROBLEM, settings) as tracer:
        for path in (0, 1, 0, 1):
            tracer.add_event(TextEvent(path=path, channel="reasoning", text=f"{path} "))
        tracer.add_event(FORK[1])
    texts = [moment.event for moment in load_trace(file).events if moment.event.kind == "text"]
    assert [(text.path, text.text) for text in texts] == [(1, "1 1 "), (0, "0 0 ")]


@pytest.mark.parametrize(
    ("error", "ended"),
    [(Interrupted("x"), "interrupted"), (ReasonerError("no room"), "failed: no room")],
)
def test_a_run_that_failed_leaves_a_trace(
    tmp_path: Path, settings: Settings, error: ReasonerError, ended: str
) -> None:
    file = tmp_path / "run.json"
    with suppress(ReasonerError), TraceWriter(file, PROBLEM, settings) as tracer:
        tracer.add_event(NoticeEvent(text="hm"))
        raise error
    assert load_trace(file).ended == ended
    assert load_trace(file).result is None


def test_an_older_trace_stays_until_the_new_one_is_whole(
    tmp_path: Path, settings: Settings
) -> None:
    file, link = tmp_path / "run.json", tmp_path / "link.json"
    file.write_text("old")
    link.symlink_to(file)
    with TraceWriter(link, PROBLEM, settings):
        assert file.read_text() == "old"
    assert link.is_symlink()
    assert load_trace(file).ended == "answered"


def test_places_where_no_trace_can_go(tmp_path: Path, settings: Settings) -> None:
    for place in (tmp_path, Path(os.devnull), tmp_path / "none" / "run.json"):
        with pytest.raises(UsageError):
            TraceWriter(place, PROBLEM, settings)


HEAD = '{"format":"reasoner trace","version":1,"reasoner":"1","started":"2025-01-01T00:00:00Z",'
REST = '"problem":{"question":"q"},"settings":{},"ended":"x","events":['
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"a": 1}',
        HEAD + REST,
        HEAD + REST + "]",
        HEAD + REST + '{"at":0,"event":{"kind":"step"}}]}',
        HEAD + REST + '{"at":0,"event":{"kind":"strange"}}]}',
        HEAD.replace(":1,", ":2,") + REST + "]}",
        HEAD.replace("reasoner trace", "x" * 10**6) + REST + "]}",
        HEAD + REST.replace("{}", '{"a":' + DEEP) + "]}",
        DEEP,
        "\ufeff{}",
    ],
)
def test_what_is_no_trace_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(BadTrace) as caught:
        load_trace(file)
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError):
            load_trace(file)
    binary = tmp_path / "b"
    binary.write_bytes(os.urandom(5000))
    huge = tmp_path / "huge"
    with huge.open("wb") as stream:
        stream.truncate(10**10)
    for file in (binary, huge):
        with pytest.raises(BadTrace):
            load_trace(file)
