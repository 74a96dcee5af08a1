"""The options of `verify`: the answer, and what it is checked against."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["VerifyOptions"]


@dataclass(frozen=True)
class VerifyOptions:
    """The answer, and what it is checked against."""

    answer: Annotated[
        str | None,
        typer.Argument(metavar="ANSWER", help="The answer, short or a whole reply; - is stdin."),
    ] = None
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the answer from it.")
    ] = None
    expect: Annotated[str | None, typer.Option(metavar="ANSWER", help="The known answer.")] = None
    question: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What was asked: its examples, numbers and equations are checked too.",
        ),
    ] = None
    tests: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Python that checks the answer's code."),
    ] = None
    jsonl: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Check many: an object a line with answer, expect, question, tests; - is stdin.",
        ),
    ] = None
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, max=3600, help="Wall clock for a check.")
    ] = 10.0
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Check it anew, and keep nothing.")
    ] = False
