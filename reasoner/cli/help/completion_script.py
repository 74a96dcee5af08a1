"""The options that print or install a shell's completion script, with the shell's name or without.

Typer's own options take no name: a word after them would be taken for a command and ignored.
"""

from typing import Any

import typer

from reasoner.errors import UnknownName, UsageError

__all__ = ["OPTION_HELP", "run_completion_option"]

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
SHOW, INSTALL = "--show-completion", "--install-completion"
OPTION_HELP = {
    SHOW: "Print a shell's completion script; its name may follow (this shell).",
    INSTALL: "Install a shell's completion; its name may follow (this shell).",
}


def run_completion_option(ctx: Any, args: list[str]) -> None:
    """Print or install the script if `args` begin with that option, and end the program.

    The shell is the word after the option, or the one that runs the program. Raises UnknownName
    for no such shell, UsageError where none is named or running and for further words, and
    typer.Exit when it is done.
    """
    args = args[1:] if args[:1] == ["--debug"] else args
    option, equals, shell = (args or [""])[0].partition("=")
    if option not in (SHOW, INSTALL):
        return
    words = [*([shell] if equals else []), *args[1:]]
    if words[1:]:
        raise UsageError(f"{option} takes the name of one shell: {', '.join(SHELLS)}")
    shell = words[0] if words else _running_shell(option)
    if shell not in SHELLS:
        raise UnknownName("shell with completion", shell[:60], SHELLS, f"({', '.join(SHELLS)})")
    program = str(ctx.info_name)
    if option == SHOW:
        print(_script(program, shell))
    else:
        _install(program, shell)
    raise typer.Exit


def _script(program: str, shell: str) -> str:
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    return get_completion_script(prog_name=program, complete_var=variable, shell=shell)


def _install(program: str, shell: str) -> None:
    from typer.completion import install  # type: ignore[attr-defined]

    _, path = install(shell=shell, prog_name=program)
    print(f"{shell} completion is in {path}; it takes effect in the next shell")


def _running_shell(option: str) -> str:
    from shellingham import ShellDetectionFailure, detect_shell

    try:
        return str(detect_shell()[0])
    except ShellDetectionFailure:
        raise UsageError(f"no shell was found; name it: reasoner {option} zsh") from None
