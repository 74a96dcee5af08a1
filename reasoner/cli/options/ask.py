"""The options of `ask`: the question's parts, what checks the reply, and the form of the output."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reasoner.cli.options.question import STDIN_WAIT_SECONDS
from reasoner.errors import UsageError

if TYPE_CHECKING:
    from reasoner.cli.output.output import OutputForm

__all__ = ["AskOptions"]


@dataclass(frozen=True)
class AskOptions:
    """The question's parts, what checks the reply, and the form of the output."""

    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="The question.")] = None
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="Add a file; - is stdin. Repeatable."),
    ] = None
    stdin_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="How long a pipe on stdin may take to deliver when there is a question.",
        ),
    ] = STDIN_WAIT_SECONDS
    expect: Annotated[
        str | None,
        typer.Option(metavar="ANSWER", help="The known answer; the reply is checked against it."),
    ] = None
    tests: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Python that checks the reply's code: assertions, test_… functions or check().",
        ),
    ] = None
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the whole run in it, for reasoner trace FILE."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False
    ndjson: Annotated[bool, typer.Option("--ndjson", help="Every event as a JSON line.")] = False
    final: Annotated[bool, typer.Option("--final", help="Only the short final answer.")] = False
    extract: Annotated[
        bool, typer.Option("--extract", "-x", help="Only the last code block of the answer.")
    ] = False

    @property
    def form(self) -> "OutputForm":
        """The form of the output. Raises UsageError when several are requested."""
        flags: dict[OutputForm, bool] = {
            "json": self.json,
            "ndjson": self.ndjson,
            "final": self.final,
            "code": self.extract,
        }
        forms = [form for form, requested in flags.items() if requested]
        if len(forms) > 1:
            raise UsageError("give only one of --json, --ndjson, --final and --extract")
        return forms[0] if forms else "text"
