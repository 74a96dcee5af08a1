"""The layout of help texts: sections of options, commands and examples at any terminal width."""

import shutil
from typing import Any

from reasoner.cli.help.manual import PAGES

__all__ = [
    "argument_name",
    "first_sentence",
    "help_text",
    "write_options",
    "write_page",
    "write_table",
]

MAX_HELP_COLUMNS = 80
MIN_TWO_COLUMN_WIDTH = 60
"""In narrower windows a description stands below its name instead of beside it."""
MAX_SHORT_NAME_COLUMNS = 8
"""Names up to this width keep their description beside them in narrow windows too."""
MAX_NAME_COLUMNS = 26
"""Width of the column of names; a longer name gets a line of its own."""


def help_text(command: Any, ctx: Any) -> str:
    """Return the whole help of `command`, at most as wide as the terminal."""
    formatter = ctx.make_formatter()
    formatter.width = max(min(shutil.get_terminal_size().columns, MAX_HELP_COLUMNS) - 1, 20)
    command.format_help(ctx, formatter)
    return str(formatter.getvalue().rstrip("\n"))


def argument_name(param: Any) -> str:
    """Return an argument's name as the usage line shows it, such as FILE or WORD..."""
    name = param.metavar or param.name.upper()
    return f"{name}..." if param.nargs != 1 else name


def write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the arguments and options of `command`, one section per help panel."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        if (record := param.get_help_record(ctx)) is None:
            continue
        name, text = record
        if param.param_type_name == "argument":
            panels.setdefault("Arguments", []).append((argument_name(param), text))
        else:
            panel = getattr(param, "rich_help_panel", None) or "Options"
            panels.setdefault(panel, []).append((name, text))
    for title, records in panels.items():
        with formatter.section(title):
            write_table(formatter, records)


def write_page(ctx: Any, formatter: Any) -> None:
    """Write the manual page of the command of `ctx`: exit codes, environment and examples."""
    command_path = ctx.command_path.partition(" ")[2]
    if (page := PAGES.get(command_path)) is None:
        return
    tables = {"Exit codes": page.exits, "Environment": page.environment}
    for title, rows in tables.items():
        if rows:
            with formatter.section(title):
                write_table(formatter, list(rows.items()))
    with formatter.section("Examples"):
        for line in page.examples:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def write_table(formatter: Any, rows: list[tuple[str, str]]) -> None:
    """Write names and their descriptions, side by side where the window is wide enough."""
    longest = max(len(name) for name, _ in rows)
    if formatter.width >= MIN_TWO_COLUMN_WIDTH or longest <= MAX_SHORT_NAME_COLUMNS:
        formatter.write_dl(rows, col_max=MAX_NAME_COLUMNS)
        return
    for name, text in rows:
        formatter.write(f"{'':>{formatter.current_indent}}{name}\n")
        with formatter.indentation():
            formatter.write_text(text)


def first_sentence(text: str) -> str:
    """Return the first sentence of a docstring on one line, with a full stop."""
    paragraph = text.strip().partition("\n\n")[0].replace("\n", " ")
    return paragraph.partition(". ")[0].rstrip(".") + "."
