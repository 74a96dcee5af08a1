"""stdout: the answer in one of its forms, and nothing but the answer."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol, TextIO

from reasoner.cli.output.json_text import escape_json
from reasoner.cli.output.markdown import MarkdownPrinter
from reasoner.cli.output.terminal import is_terminal, without_controls

if TYPE_CHECKING:
    from reasoner.types.events import Event
    from reasoner.types.result import Result

__all__ = [
    "AnswerWriter",
    "CodeWriter",
    "FinalWriter",
    "JsonWriter",
    "MarkdownWriter",
    "NdjsonWriter",
    "RawWriter",
    "last_code",
]


class AnswerWriter(Protocol):
    """Writes the answer to stdout.

    `event` takes every event, `piece` the answer as it comes, `close` the whole result.
    """

    def event(self, event: "Event") -> None: ...

    def piece(self, text: str) -> None: ...

    def close(self, result: "Result") -> None: ...


class _LineWriter:
    """Writes nothing before the end; the base of all writers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def event(self, event: "Event") -> None:
        pass

    def piece(self, text: str) -> None:
        pass

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


class _StreamingWriter(_LineWriter, ABC):
    """Passes the answer on as it comes, without the white space around it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._written = ""
        self._gap = ""

    def piece(self, text: str) -> None:
        text = self._gap + text if self._written else text.lstrip()
        body = text.rstrip()
        self._gap = text[len(body) :]
        if body:
            self._written += body
            self._emit(without_controls(body))

    def close(self, result: "Result") -> None:
        answer = result.answer.strip()
        if answer.startswith(self._written):
            self._gap = ""
            rest = answer[len(self._written) :]
            self._emit(without_controls(rest))
            self._written += rest
        self._end()

    @abstractmethod
    def _emit(self, text: str) -> None: ...

    @abstractmethod
    def _end(self) -> None: ...


class RawWriter(_StreamingWriter):
    """The answer's text as the model wrote it."""

    def _emit(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _end(self) -> None:
        if self._written:
            self._line("")


class MarkdownWriter(_StreamingWriter):
    """The answer rendered for a terminal, each block once it is complete."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        super().__init__(stream)
        self._printer = MarkdownPrinter(stream, colour=colour)

    def _emit(self, text: str) -> None:
        self._printer.feed(text)

    def _end(self) -> None:
        self._printer.close()


class FinalWriter(_LineWriter):
    """The short final answer alone."""

    def close(self, result: "Result") -> None:
        if result.final is not None:
            self._line(without_controls(result.final).strip())


class CodeWriter(_LineWriter):
    """The last code block of the answer alone."""

    def close(self, result: "Result") -> None:
        code = last_code(result.answer)
        if code is not None:
            self._line(without_controls(code).rstrip("\n"))


class JsonWriter(_LineWriter):
    """The result as one JSON object."""

    def close(self, result: "Result") -> None:
        indent = 2 if is_terminal(self._stream) else None
        self._line(escape_json(result.model_dump_json(indent=indent), self._stream))


class NdjsonWriter(_LineWriter):
    """Every event as one JSON object on a line of its own; the result is the last."""

    def event(self, event: "Event") -> None:
        self._line(escape_json(event.model_dump_json(), self._stream))

    def close(self, result: "Result") -> None:
        pass


def last_code(answer: str) -> str | None:
    """The text inside the last Markdown code fence, or None."""
    from reasoner.answers.extraction import fenced_blocks

    blocks = fenced_blocks(answer)
    return blocks[-1] if blocks else None
