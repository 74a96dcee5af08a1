"""Where the question comes from, and what is refused."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from reasoner.cli.options.question import collect_question
from reasoner.cli.options.stdin import MAX_SOURCE_BYTES
from reasoner.errors import UsageError
from tests.cli.command import run

Feed = Callable[[bytes], None]


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Feed]:
    """Put bytes on stdin, as a file."""

    def _feed(data: bytes) -> None:
        file = tmp_path / "stdin"
        file.write_bytes(data)
        opened.append(file.open())
        monkeypatch.setattr("sys.stdin", opened[-1])

    opened: list[TextIO] = []
    yield _feed
    for stream in opened:
        stream.close()


def test_argument_files_and_stdin_in_that_order(feed: Feed, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("first\n")
    two.write_text("second\n\n")
    feed(b"last\n")
    assert collect_question("ask", [str(one), str(two)], []) == "ask\n\nfirst\n\nsecond\n\nlast"


def test_a_dash_puts_stdin_among_the_files(feed: Feed, tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_text("file")
    feed(b"piped")
    assert collect_question(None, ["-", str(one)], []) == "piped\n\nfile"


def test_stdin_alone_and_inner_blank_space_stays(feed: Feed) -> None:
    feed(b"\xef\xbb\xbfa\n\n  b \n")
    assert collect_question(None, [], []) == "a\n\n  b "


def test_a_pipe_that_delivers_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"data")
    os.close(writer)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert collect_question("q", [], []) == "q\n\ndata"


def test_a_pipe_nobody_writes_to_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    notices: list[str] = []
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert collect_question("q", [], notices, stdin_seconds=0.1) == "q"
    os.close(writer)
    assert "left out" in notices[0]


class Shown:
    """Collects what is shown of a wait."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_shown = False

    def show(self, text: str) -> None:
        self.lines.append(text)
        self.is_shown = True

    def end(self) -> None:
        self.is_shown = False


@pytest.mark.slow
def test_a_pipe_that_is_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()

    def deliver() -> None:
        os.write(writer, b"the log")
        os.close(writer)

    late = threading.Timer(1.0, deliver)
    late.start()
    warnings: list[str] = []
    shown = Shown()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert collect_question("q", [], warnings, display=shown) == "q\n\nthe log"
    late.join()
    assert warnings == []
    assert not shown.is_shown
    assert shown.lines[0].startswith("waiting for stdin · 0 of 10 s")


@pytest.mark.slow
def test_stdin_that_is_left_out_is_said_even_with_quiet(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    command = ("ask", "-q", "--stdin-timeout", "0.2", "-m", "/nowhere.gguf", "hi")
    done = run(tmp_path, *command, stdin=reader)
    os.close(reader)
    os.close(writer)
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("reasoner: stdin stayed open and empty for 0.2 s and is left out")
    assert "/nowhere.gguf" in second


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"GGUF\x00\x00", bytes(range(256))])
def test_binary_stdin_is_one_line_and_2(tmp_path: Path, data: bytes) -> None:
    done = run(tmp_path, "ask", "What is this?", stdin=data)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"reasoner: stdin is ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["ask"], ["ask", ""], ["ask", " \n\t"], []])
@pytest.mark.parametrize("stdin", [b"", b" \n\n"])
def test_an_empty_question_is_2_with_an_example(
    tmp_path: Path, arguments: list[str], stdin: bytes
) -> None:
    done = run(tmp_path, *arguments, stdin=stdin)
    assert done.returncode == 2
    assert b'reasoner ask "' in done.stderr


def test_an_empty_question_does_not_wait_for_an_open_pipe(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    began = time.monotonic()
    done = run(tmp_path, "ask", "", stdin=reader)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 2
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", ["missing", "."])
def test_an_unreadable_file_is_named(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "ask", "hi", "-f", tmp_path / name)
    assert done.returncode == 2
    assert b"cannot read" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_source_too_large_to_hold_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(MAX_SOURCE_BYTES + 1)
    with pytest.raises(UsageError, match="larger than 64 MB"):
        collect_question("q", [str(huge)], [])
