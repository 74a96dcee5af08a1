"""Which results are found again, and which must not be."""

from pathlib import Path
from typing import Any

import pytest

from reasoner.cache.results import ResultCache, replay_events
from reasoner.models.checksum import model_checksum
from reasoner.settings import Settings
from reasoner.types.events import ResultEvent, TextEvent
from reasoner.types.problem import Message, Problem
from reasoner.types.result import Result, Status, Usage
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import FinishReason, Step
from reasoner.types.verdict import Outcome, Verdict
from tests.tiny_gguf import write_tiny_gguf

PROBLEM = Problem(question="What is 2 + 3?")


def result(**fields: Any) -> Result:
    usual: dict[str, Any] = {
        "question": PROBLEM.question,
        "answer": "It is 5.",
        "final": "5",
        "status": Status.ANSWERED,
        "finish_reason": FinishReason.STOP,
        "reasoning": (Step(text="Add them.", tokens=4),),
        "strategy": "linear",
        "model": "tiny",
        "seed": 0,
        "usage": Usage(completion_tokens=9, seconds=3.0, tokens_per_second=3.0),
    }
    return Result(**usual | fields)


@pytest.fixture
def model(own_directories: Path) -> Path:
    return write_tiny_gguf(own_directories / "tiny.gguf")


def test_a_result_is_found_again_and_says_so(model: Path) -> None:
    results, settings = ResultCache(), Settings.load(model=str(model))
    assert results.get(PROBLEM, settings) is None
    results.put(PROBLEM, settings, result())
    results.close()
    again = ResultCache()
    found = again.get(PROBLEM, settings)
    again.close()
    assert found is not None
    assert found.cached
    assert found.usage.completion_tokens == 0
    assert found.usage.tokens_per_second == 0.0
    assert found.usage.seconds < 3.0
    plain = {"usage", "cached"}
    assert found.model_dump(exclude=plain) == result().model_dump(exclude=plain)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"budget": 7},
        {"temperature": 0.5},
        {"sampling": {"top_p": 0.5}},
        {"strategy": "majority"},
        {"strategy_options": {"n": 3}},
        {"protocol": "think"},
        {"template_args": {"style": "short"}},
        {"template_args": {"reasoning_effort": "low"}},
        {"chat_template": "chatml"},
        {"chat_template": "{{ messages }}"},
        {"verify": False},
        {"think": False},
        {"engine": {"kv_type": "q8_0"}},
        {"cache": False},
        {"question": "What is 2 + 4?"},
        {"system": "Be brief."},
        {"expect": "5"},
        {"tests": "assert True"},
        {"history": (Message(role="user", content="hi"),)},
    ],
)
def test_whatever_differs_is_another_key(model: Path, other: dict[str, Any]) -> None:
    about = {name: value for name, value in other.items() if name in Problem.model_fields}
    flags = {name: value for name, value in other.items() if name not in about}
    results = ResultCache()
    results.put(PROBLEM, Settings.load(model=str(model)), result())
    settings = Settings.load(model=str(model), **flags)
    assert results.get(PROBLEM.model_copy(update=about), settings) is None
    results.close()


def test_another_model_under_the_same_name_is_another_key(model: Path) -> None:
    settings = Settings.load(model=str(model))
    results = ResultCache()
    results.put(PROBLEM, settings, result())
    write_tiny_gguf(model, seed=9)
    for _ in range(2):
        later = ResultCache()
        assert later.get(PROBLEM, settings) is None
        later.close()
        assert model_checksum(model)  # the second time it is known
    results.close()


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({"finish_reason": FinishReason.INTERRUPTED}, {}),
        ({"verdicts": (Verdict(verifier="x", outcome=Outcome.ERROR, reason="broke"),)}, {}),
        ({"verdicts": (Verdict(verifier="x", outcome=Outcome.FAIL, reason="", seconds=9),)}, {}),
        ({}, {"seconds": 3.5}),
        ({"cached": True}, {}),
        ({"strategy": "majority"}, {"strategy": "majority", "tools": "auto"}),
        (
            {
                "reasoning": (
                    Step(
                        text="",
                        call=ToolCall(
                            tool="python", text="", output="", ok=True, kept=True, seconds=0.1
                        ),
                    ),
                )
            },
            {"tools": "auto"},
        ),
    ],
)
def test_what_chance_or_the_clock_decided_is_not_kept(
    model: Path, fields: dict[str, Any], flags: dict[str, Any]
) -> None:
    results, settings = ResultCache(), Settings.load(model=str(model), **flags)
    results.put(PROBLEM, settings, result(**fields))
    assert results.get(PROBLEM, settings) is None
    results.close()


def test_an_unhurried_result_under_a_time_limit_is_kept(model: Path) -> None:
    results, settings = ResultCache(), Settings.load(model=str(model), seconds=60.0)
    results.put(PROBLEM, settings, result())
    assert results.get(PROBLEM, settings) is not None
    results.close()


def test_a_dated_result_is_gone_the_next_day(model: Path) -> None:
    results, settings = ResultCache(), Settings.load(model=str(model))
    results.put(PROBLEM, settings, result(), is_dated=True)
    assert results.get(PROBLEM, settings) is not None
    key = results._key(PROBLEM, settings)
    assert key is not None
    kept = results._cache.get(key)
    assert kept is not None
    results._cache.put(key, kept.replace(b'"day": "2', b'"day": "1'))
    assert results.get(PROBLEM, settings) is None
    results.close()


def test_nonsense_in_the_cache_is_no_result(model: Path) -> None:
    results, settings = ResultCache(), Settings.load(model=str(model))
    results.put(PROBLEM, settings, result())
    key = results._key(PROBLEM, settings)
    assert key is not None
    for nonsense in (b"", b"[]", b'{"day": null}', b'{"day": null, "result": {}}', b"[" * 10**5):
        results._cache.put(key, nonsense)
        assert results.get(PROBLEM, settings) is None
    results.close()


def test_a_model_that_is_not_here_is_no_error(own_directories: Path) -> None:
    results = ResultCache()
    assert results.get(PROBLEM, Settings.load(model="smollm2-135m")) is None
    assert results.get(PROBLEM, Settings.load(model="no-such-model")) is None
    results.close()


def test_a_replay_tells_what_a_run_tells() -> None:
    events = list(replay_events(result(), "medium"))
    texts = [event for event in events if isinstance(event, TextEvent)]
    assert [(event.channel, event.text.strip()) for event in texts] == [
        ("reasoning", "Add them."),
        ("answer", "It is 5."),
    ]
    assert isinstance(events[-1], ResultEvent)


def test_an_adapter_and_its_scale_belong_to_the_key(model: Path, own_directories: Path) -> None:
    adapter = own_directories / "adapter.gguf"
    adapter.write_bytes(b"one")
    first, other = (
        Settings.load(model=str(model), engine={"lora": [f"{adapter}{scale}"]})
        for scale in ("", ":0.5")
    )

    def is_found(settings: Settings) -> bool:
        later = ResultCache()
        found = later.get(PROBLEM, settings)
        later.close()
        return found is not None

    results = ResultCache()
    results.put(PROBLEM, first, result())
    results.close()
    assert is_found(first)
    assert not is_found(other)
    assert not is_found(Settings.load(model=str(model)))
    adapter.write_bytes(b"other")
    assert not is_found(first)
    assert model_checksum(adapter)
    assert not is_found(first)
