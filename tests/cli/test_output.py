"""What reaches a terminal, what reaches stdout, and how a result is summed up."""

import io
import json
import re

import pytest

from reasoner.cli.output.folding import FoldingNarrator
from reasoner.cli.output.markdown import Blocks, MarkdownPrinter
from reasoner.cli.output.narrator import Narrator, status_line, usage_line
from reasoner.cli.output.progress import Lines
from reasoner.cli.output.terminal import clean, one_line
from reasoner.cli.output.writers import JsonWriter, RawWriter, last_code
from reasoner.path import FinishReason
from reasoner.result import Result, Status, Usage
from reasoner.verdict import Outcome, Verdict

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
    assert clean(hostile) == shown


def test_one_line_is_one_and_bounded() -> None:
    assert one_line("a\n\n  b\r\nc") == "a b c"
    assert len(one_line("x" * 10**6)) == 2000


def test_blocks_are_cut_at_blank_lines_but_not_in_fences() -> None:
    text = "# T\n\npara\nmore\n```py\na\n\nb\n```\n\n~~~~\n```\n\n~~~~\nend"
    for size in (1, 3, 1000):
        blocks, cut = Blocks(), []
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
    narrator = Narrator(stream, colour=False, thoughts=False, quiet=True)
    narrator.think("secret")
    narrator.say("notice")
    narrator.conclude(result())
    assert stream.getvalue() == ""


def test_a_notice_starts_a_line_of_its_own() -> None:
    stream = io.StringIO()
    narrator = Narrator(stream, colour=False, thoughts=True)
    narrator.think("\nhm")
    narrator.say("a\nnotice")
    assert stream.getvalue() == "hm\na notice\n"


@pytest.mark.parametrize("kind", [Narrator, FoldingNarrator])
def test_a_hint_never_takes_thinking_with_it(kind: type[Narrator]) -> None:
    stream = io.StringIO()
    narrator = kind(stream, colour=True, thoughts=True)
    narrator.think("half a thought")
    narrator.hint("searching…")
    narrator.think(" goes on")
    assert "searching" not in stream.getvalue()
    narrator.end_thoughts()
    before = stream.tell()
    narrator.hint("searching…")
    narrator.think("another")
    assert re.fullmatch(r".*searching….*\r\x1b\[K.*another.*", stream.getvalue()[before:])
    narrator.say("done")
    assert stream.getvalue().count("\x1b[K") == stream.getvalue()[:before].count("\x1b[K") + 1


def test_a_download_in_a_log_is_two_lines() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.begin("m.gguf", 100_000_000, 0)
    for _ in range(1000):
        lines.advance(100_000)
    lines.end()
    assert len(stream.getvalue().splitlines()) == 2
