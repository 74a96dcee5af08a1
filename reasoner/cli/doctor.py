"""`reasoner doctor`: what works here, what does not, and what to do about it."""

import json as jsonlib
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from reasoner.cli.checks import Check

__all__ = ["doctor"]


def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the build, the hardware, the models and the plugins.

    A line is ok, warn or fail, what it is about, and below it what to do.
    """
    from reasoner.cli.checks import run_checks

    found: list[Check] = []
    for check in run_checks():
        found.append(check)
        if not json:
            _show(check)
    failed = any(check.level == "fail" for check in found)
    if json:
        print(jsonlib.dumps({"ok": not failed, "checks": [vars(check) for check in found]}))
    if failed:
        raise typer.Exit(1)


def _show(check: "Check") -> None:
    from reasoner.cli.output.terminal import one_line

    print(f"{check.level:<5} {check.name:<22} {one_line(check.detail)}", flush=True)
    if check.hint:
        print(f"{'':<28} → {one_line(check.hint)}", flush=True)
