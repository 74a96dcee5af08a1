"""`reasoner doctor`: what works on this machine, what does not, and what to do about it."""

from typing import Annotated

import typer

from reasoner.cli.commands.doctor_checks import Check, run_checks
from reasoner.cli.options.json_output import print_json
from reasoner.cli.output.terminal import one_line

__all__ = ["doctor"]


def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the build, the hardware, the models and the plugins.

    A line is ok, warn or fail, what it is about, and below it what to do.
    """
    checks: list[Check] = []
    for check in run_checks():
        checks.append(check)
        if not json:
            _print_check(check)
    ok = all(check.level != "fail" for check in checks)
    if json:
        print_json({"ok": ok, "checks": [vars(check) for check in checks]})
    _exit_with_status(ok=ok)


def _exit_with_status(*, ok: bool) -> None:
    if not ok:
        raise typer.Exit(1)


def _print_check(check: Check) -> None:
    print(f"{check.level:<5} {check.name:<22} {one_line(check.detail)}", flush=True)
    if check.hint:
        print(f"{'':<28} → {one_line(check.hint)}", flush=True)
