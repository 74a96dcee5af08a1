"""Writes docs/commands.md, the command reference, from the help texts of the commands themselves.

`python docs/generate_commands.py` writes the file; with `--check` it writes nothing and exits with
1 if the file is out of date.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = "reasoner"
REFERENCE = Path(__file__).with_name("commands.md")
HELP_COLUMNS = "80"
INTRODUCTION = f"""\
# Commands

<!-- `python docs/generate_commands.py` writes this file. Do not edit it by hand. -->

This page shows what `{PROGRAM} --help` and `{PROGRAM} COMMAND --help` print: the arguments and
options of each command, its exit codes, the environment variables it reads, and examples.
"""


def main(arguments: list[str]) -> int:
    """Write the reference, or compare it with the file, and return the exit code."""
    os.environ["COLUMNS"] = HELP_COLUMNS
    reference = render_reference()
    if arguments == []:
        REFERENCE.write_text(reference, encoding="utf-8")
        return 0
    if arguments != ["--check"]:
        print("usage: python docs/generate_commands.py [--check]", file=sys.stderr)
        return 2
    if REFERENCE.exists() and REFERENCE.read_text(encoding="utf-8") == reference:
        return 0
    print("docs/commands.md is out of date: python docs/generate_commands.py", file=sys.stderr)
    return 1


def render_reference() -> str:
    """The whole page: an introduction, then a section for each command in the tree."""
    import typer

    from reasoner.cli.app import app

    root = typer.main.get_command(app)
    sections = [_render_section(path, text) for path, text in _help_texts(root, PROGRAM, None)]
    return "\n".join([INTRODUCTION, *sections])


def _help_texts(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    """Each visible command below `command`, itself included, as its path and its help text."""
    context = command.context_class(command, info_name=name, parent=parent)
    yield context.command_path, command.get_help(context)
    if not hasattr(command, "load_command"):
        return
    for child_name in command.list_commands(context):
        child = command.load_command(child_name)  # `commands` holds stubs until then
        if not child.hidden:
            yield from _help_texts(child, child_name, context)


def _render_section(path: str, help_text: str) -> str:
    level = "##" if path.count(" ") < 2 else "###"
    lines = "\n".join(line.rstrip() for line in help_text.splitlines())
    return f"{level} {path}\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
