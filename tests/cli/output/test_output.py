"""What reaches a terminal, what reaches stdout, and how a result is summed up."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from reasoner.cli.options.view import ViewOptions
from reasoner.cli.output.folding import FoldingNarrator
from reasoner.cli.output.json_text import escape_json
from reasoner.cli.output.markdown import MarkdownBlocks, MarkdownPrinter
from reasoner.cli.output.narrator import Narrator
from reasoner.cli.output.output import Output, OutputForm
from reasoner.cli.output.progress import DownloadProgress, StatusLine
from reasoner.cli.output.sentences import cross_check_sentences, status_line, usage_line
from reasoner.cli.output.terminal import one_line, without_controls
from reasoner.cli.output.writers import JsonWriter, RawWriter, last_code
from reasoner.types.events import CandidateEvent, Event, StartEvent, TextEvent
from reasoner.types.result import CandidateSummary, Result, Status, Usage
from reasoner.types.trajectory import FinishReason
from reasoner.types.verdict import Outcome, Verdict
from tests.cli.screen import rendered, written_at_a_terminal

RECORDED = Path(__file__).parent / "recorded"
SHORT_EVIDENCE = (
    "a program written for the same question printed 36 "
    "✓ verified · a program written independently prints it as well · 2 of 2 equations hold; "
    "42 - 6 = 36 gives the answer · confidence 93% from 2 candidates · 1 tokens/s"
)
VERDICT = Verdict(verifier="sympy_check", outcome=Outcome.PASS, reason="5 of 5 equations hold")


def result(**changes: object) -> Result:
    given: dict[str, object] = {
        "question": "q",
        "answer": "It is 4.",
        "final": "4",
        "status": Status.VERIFIED,
        "finish_reason": FinishReason.STOP,
        "verdicts": (VERDICT,),
        "strategy": "linear",
        "model": "m",
        "seed": 0,
        "usage": Usage(
            prompt_tokens=9, completion_tokens=7, reasoning_tokens=5, answer_tokens=2, seconds=1.0
        ),
    }
    return Result.model_validate(given | changes)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("a\x1b", "a"),
        ("a\x9b31mb", "a31mb"),
        ("a\rb\x08c\x7f", "abc"),
        ("kept\n\ttoo é≠", "kept\n\ttoo é≠"),
        ("\u202etxt.exe", "txt.exe"),
    ],
)
def test_clean(hostile: str, shown: str) -> None:
    assert without_controls(hostile) == shown


def test_one_line_is_one_and_bounded() -> None:
    assert one_line("a\n\n  b\r\nc") == "a b c"
    assert len(one_line("x" * 10**6)) == 2000


def test_blocks_are_cut_at_blank_lines_but_not_in_fences() -> None:
    text = "# T\n\npara\nmore\n```py\na\n\nb\n```\n\n~~~~\n```\n\n~~~~\nend"
    for size in (1, 3, 1000):
        blocks, cut = MarkdownBlocks(), []
        for start in range(0, len(text), size):
            cut += blocks.feed(text[start : start + size])
        cut += blocks.rest()
        assert cut == ["# T", "para\nmore", "```py\na\n\nb\n```", "~~~~\n```\n\n~~~~", "end"]


@pytest.mark.parametrize(
    "text",
    [
        r"\(\boxed{42}\)",
        r"\[a \\ b\]",
        "4*5*6 = 120",
        "(a)*(b)*2",
        "x<y and y>z",
        "a = 1\nb = 2",
        "`4*5*6 \\( <b>`",
    ],
)
def test_markdown_leaves_mathematics_alone(text: str) -> None:
    stream = io.StringIO()
    printer = MarkdownPrinter(stream, colour=False)
    printer.feed(text)
    printer.close()
    shown = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert shown == text.strip("`").split("\n")


def test_markdown_is_still_markdown() -> None:
    stream = io.StringIO()
    printer = MarkdownPrinter(stream, colour=False)
    printer.feed("**bold** and *slanted*\n\n```\n4*5*6 \\(\n```\n")
    printer.close()
    assert "bold and slanted" in stream.getvalue()
    assert "4*5*6 \\(" in stream.getvalue()
    assert "**" not in stream.getvalue()


def test_one_empty_line_between_blocks() -> None:
    stream = io.StringIO()
    printer = MarkdownPrinter(stream, colour=False)
    printer.feed("# Head\n\ntext\n\n1. one\n\n2. two\n\n| a |\n|---|\n| 1 |\n\nend")
    printer.close()
    shown = stream.getvalue()
    assert "\n\n\n" not in shown
    assert shown == shown.lstrip("\n")
    assert shown.endswith("\n\nend\n")


def test_last_code() -> None:
    assert last_code("a\n```python\nx = 1\n```\nb\n```\ny\n\nz\n```\n") == "y\n\nz\n"
    assert last_code("```\nunclosed\n") == "unclosed\n"
    assert last_code("no `code` here") is None


def test_a_streamed_answer_is_written_once_without_space_around_it() -> None:
    stream = io.StringIO()
    writer = RawWriter(stream)
    for piece in ("\n\n", "It", " is\n", "\n", "4.", "\n\n"):
        writer.piece(piece)
    writer.close(result(answer="It is\n\n4."))
    assert stream.getvalue() == "It is\n\n4.\n"


def test_what_was_not_streamed_is_written_at_the_end() -> None:
    stream = io.StringIO()
    writer = RawWriter(stream)
    writer.piece("It ")
    writer.close(result(answer="It is 4."))
    assert stream.getvalue() == "It is 4.\n"


def test_no_answer_writes_nothing() -> None:
    stream = io.StringIO()
    RawWriter(stream).close(result(answer=""))
    assert stream.getvalue() == ""


def test_json_holds_no_raw_control_characters() -> None:
    stream = io.StringIO()
    hostile = "a\x1b[31m\x9b\x7f≠"
    JsonWriter(stream).close(result(answer=hostile))
    assert not set(stream.getvalue()) & {"\x1b", "\x9b", "\x7f"}
    assert json.loads(stream.getvalue())["answer"] == hostile


def test_status_lines() -> None:
    fast = Usage(tokens_per_second=41.2)
    assert status_line(result(usage=fast)) == "✓ verified · 5 of 5 equations hold · 41 tokens/s"
    wrong = Verdict(verifier="s", outcome=Outcome.FAIL, reason="3 * 4 = 13 is wrong (12)")
    refuted = result(status=Status.REFUTED, verdicts=(VERDICT, wrong))
    assert status_line(refuted) == "✗ refuted · 3 * 4 = 13 is wrong (12)"
    assert status_line(result(status=Status.ANSWERED, verdicts=())) == "· answered, not checked"


def test_usage_line_names_every_kind_of_token() -> None:
    line = usage_line(result())
    for word in ("prompt 9", "reasoning 5", "answer 2", "value 0", "wasted 0", "1.0 s"):
        assert word in line


def test_a_narrator_that_is_quiet_says_nothing() -> None:
    stream = io.StringIO()
    narrator = Narrator(stream, colour=False, shows_reasoning=False, quiet=True)
    narrator.show_reasoning("secret")
    narrator.show_notice("notice")
    narrator.conclude(result())
    assert stream.getvalue() == ""


def test_a_notice_starts_a_line_of_its_own() -> None:
    stream = io.StringIO()
    narrator = Narrator(stream, colour=False, shows_reasoning=True)
    narrator.show_reasoning("\nhm")
    narrator.show_notice("a\nnotice")
    assert stream.getvalue() == "hm\na notice\n"


@pytest.mark.parametrize("kind", [Narrator, FoldingNarrator])
def test_a_hint_never_takes_thinking_with_it(kind: type[Narrator]) -> None:
    stream = io.StringIO()
    narrator = kind(stream, colour=True, shows_reasoning=True)
    narrator.show_reasoning("half a thought")
    narrator.hint("searching…")
    narrator.show_reasoning(" goes on")
    assert "searching" not in stream.getvalue()
    narrator.end_thoughts()
    before = stream.tell()
    narrator.hint("searching…")
    narrator.show_reasoning("another")
    assert re.fullmatch(r".*searching….*\r\x1b\[J.*another.*", stream.getvalue()[before:])
    narrator.show_notice("done")
    assert stream.getvalue().count("\x1b[J") == stream.getvalue()[:before].count("\x1b[J") + 1


def test_a_download_in_a_log_is_two_lines() -> None:
    stream = io.StringIO()
    lines = DownloadProgress(stream)
    lines.begin("m.gguf", 100_000_000, 0)
    for _ in range(1000):
        lines.advance(100_000)
    lines.end()
    assert len(stream.getvalue().splitlines()) == 2


def test_a_status_line_at_a_terminal_is_one_line_of_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")

    def write() -> None:
        status = StatusLine(sys.stderr)
        for number in range(5):
            status.show(f"{number} of 5 problems · " + "x" * 50, now=True)
        status.print("a notice")
        status.show("the end", now=True)
        status.keep()

    written = written_at_a_terminal(monkeypatch, write, columns=30)
    assert "4 of 5 problems · xxxxxxxxxx…" in written
    assert rendered(written, 30) == ["a notice", "the end"]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_dumb_terminal_and_a_log_get_plain_lines_now_and_then(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setenv("TERM", "dumb" if terminal else "xterm")
    pipe = io.StringIO()

    def write() -> None:
        status = StatusLine(sys.stderr if terminal else pipe)
        status.show("the first", now=True)
        for number in range(100):
            status.show(f"number {number}")
        status.end()

    written = written_at_a_terminal(monkeypatch, write, columns=30)
    assert (written if terminal else pipe.getvalue()).splitlines() == ["the first"]


def replayed(name: str, form: OutputForm = "text", *, folds: bool = False) -> Callable[[], None]:
    """A function that shows the events of a run that was recorded with a real model."""
    parse: TypeAdapter[Event] = TypeAdapter(Event)
    lines = (RECORDED / f"{name}.ndjson").read_text().splitlines()
    events = [parse.validate_json(line) for line in lines]
    ending = events[-1]
    assert ending.kind == "result"

    def write() -> None:
        output = Output.open(ViewOptions(), form, folds=folds)
        for event in events:
            output.on_event(event)
        output.end()
        output.close(ending.result)

    return write


@pytest.mark.parametrize("variables", [{"TERM": "xterm"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize("columns", [80, 40])
def test_a_cross_checked_answer_is_on_the_screen_once(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], columns: int
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    written = written_at_a_terminal(monkeypatch, replayed("cross_check"), columns)
    screen = rendered(written, columns)
    text = " ".join(" ".join(screen).split())
    assert screen[0].startswith("To determine how many pens Tom has left")
    assert "".join(screen).count(r"[ 42 - 6 = 36") == 1
    assert screen.count("") == 4, "two between the steps, one before the answer, one after it"
    assert text.endswith(SHORT_EVIDENCE)
    assert ("\x1b" in written) == (variables == {"TERM": "xterm"})


def test_a_reply_that_is_all_answer_is_on_the_screen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for rows in (24, 6):  # it fits the window, or is taller than it
        written = written_at_a_terminal(monkeypatch, replayed("linear"), 80, rows)
        screen = rendered(written, 80)
        assert screen.count("The final answer is 104.") == 1
        assert screen[-3:-1] == ["The final answer is 104.", ""]
        assert screen[-1].startswith("✗ refuted · 5 of 5 equations are wrong")


def test_folded_reasoning_does_not_begin_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    written = written_at_a_terminal(monkeypatch, replayed("cross_check", folds=True), 80)
    screen = rendered(written, 80)
    assert [line[:3] for line in screen[:3]] == ["  1", "  2", "Nex"]
    assert sum("Next, we need" in line for line in screen) == 1


@pytest.mark.parametrize("name", ["cross_check", "linear"])
def test_a_pipe_gets_the_answer_whatever_the_screen_shows(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pipe = io.StringIO()
    write = replayed(name)

    def piped() -> None:
        monkeypatch.setattr(sys, "stdout", pipe)
        write()

    written = written_at_a_terminal(monkeypatch, piped, 80)
    answer = json.loads((RECORDED / f"{name}.ndjson").read_text().splitlines()[-1])
    assert pipe.getvalue() == answer["result"]["answer"].strip() + "\n"
    assert answer["result"]["final"] in written


def test_candidates_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    start = StartEvent(
        model="m",
        effort="high",
        strategy="majority",
        strategy_options={"n": 2},
        seed=0,
        live="nothing",
    )
    ended = {"finish_reason": FinishReason.STOP, "tokens": 83, "standing": 0.84, "value": 0.91}
    events: list[Event] = [
        start,
        TextEvent(path=1, channel="reasoning", text="hidden"),
        CandidateEvent.model_validate({"path": 1, "final": "36", **ended}),
        CandidateEvent(path=0, final=None, finish_reason=FinishReason.LENGTH, tokens=9),
    ]
    candidates = tuple(CandidateSummary(number=number, answer="It is 4.") for number in (1, 0))

    def write() -> None:
        output = Output.open(ViewOptions())
        for event in events:
            output.on_event(event)
        output.close(result(candidates=candidates, confidence=0.5))

    assert rendered(written_at_a_terminal(monkeypatch, write, 80), 80) == [
        "candidate 1 of 2: 36 (checks 0.84, value 0.91, 83 tokens)",
        "candidate 2 of 2: no final answer (cut off, 9 tokens)",
        "It is 4.",
        "",
        "✓ verified · 5 of 5 equations hold · confidence 50% from 2 candidates",
    ]


def test_the_votes_of_a_cross_check_are_counted() -> None:
    def ended(final: str | None) -> CandidateEvent:
        return CandidateEvent(path=1, final=final, finish_reason=FinishReason.STOP, tokens=1)

    assert cross_check_sentences([ended("36")], []) == []
    assert cross_check_sentences(
        [ended("36"), ended("42")], [ended("36"), ended("36"), ended(None)]
    ) == [
        "2 reasonings came to 36 and 42",
        "3 programs written for the same question printed 36, 36 and no answer",
    ]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", r'{"a":"caf\u00e9 \ud83d\ude00 \udc80"}'),
        ("latin-1", r'{"a":"caf\u00e9 \ud83d\ude00 \udc80"}'),
        ("utf-8", r'{"a":"caf\u00e9 \ud83d\ude00 \udc80"}'),  # for the lone surrogate
    ],
)
def test_json_says_the_same_whatever_the_locale(encoding: str, shown: str) -> None:
    text = '{"a":"café 😀 \udc80"}'
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert escape_json(text, stream) == shown
    assert json.loads(escape_json(text, stream)) == json.loads(text)
    assert escape_json('"é\x9b"', stream) in (r'"\u00e9\u009b"', r'"é\u009b"')
