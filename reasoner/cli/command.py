"""Commands and groups of commands, with help that reads like a manual page at any width.

What stands below the options, such as examples, comes from `reasoner.cli.manual`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandFunctionType

from reasoner.cli.manual import PAGES
from reasoner.errors import UnknownName, UsageError

__all__ = ["Commands"]

WIDEST = 80
NARROW = 60
"""Below so many columns a description stands under its name, not beside it."""
SHORT = 8
"""Columns of names that are so short that there is room beside them even then."""
NAMES = 26
"""Columns for names beside their descriptions; longer ones get a line of their own."""


class Commands(typer.Typer):
    """A group of commands whose help is laid out here."""

    def __init__(self, about: str | None = None) -> None:
        super().__init__(
            cls=Group,
            no_args_is_help=True,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        if about is not None:
            self.info.help = about

    def command(
        self, *names: Any, **more: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        return super().command(*names, **{"cls": Command} | more)


class Command(TyperCommand):
    """A command whose help lists the options under their headings, and then its page."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _in_one_line(ctx):
            return list(super().parse_args(ctx, args))

    def get_help(self, ctx: Any) -> str:
        return _help(self, ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        named = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(_argument(p) if p.required else f"[{_argument(p)}]" for p in named)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _page(ctx, formatter)


class Group(TyperGroup):
    """A group of commands; knows what to say to a word that is none of them, and to a reader that
    has left."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _in_one_line(ctx):
            return list(super().parse_args(ctx, args))

    def get_help(self, ctx: Any) -> str:
        return _help(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        _options(self, ctx, formatter)
        about = {name: command.help or "" for name, command in self.commands.items()}
        with formatter.section("Commands"):
            _table(formatter, [(name, _sentence(text)) for name, text in about.items()])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _page(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            hint = f"({ctx.command_path} --help lists them)"
            if ctx.parent is None:
                hint = '(questions: reasoner ask "…")'
            raise UnknownName("command", name[:60], self.commands, hint=hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        from reasoner.cli.output.terminal import mute

        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            mute()
            raise typer.Exit(0) from None


@contextmanager
def _in_one_line(ctx: Any) -> Iterator[None]:
    """What Click has to say about the words of a command as an error of ours."""
    try:
        yield
    except Exception as error:
        told = getattr(error, "format_message", None)
        if told is None or type(error).__name__ == "NoArgsIsHelpError":
            raise
        message = told().rstrip(".").replace("Value error, ", "")
        hint = f"see {ctx.command_path} --help"
        raise UsageError(f"{message[0].lower()}{message[1:]}; {hint}") from error


def _help(command: Any, ctx: Any) -> str:
    formatter = ctx.make_formatter()
    formatter.width = max(min(shutil.get_terminal_size().columns, WIDEST) - 1, 20)
    command.format_help(ctx, formatter)
    return str(formatter.getvalue().rstrip("\n"))


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return f"{name}..." if param.nargs != 1 else name


def _options(command: Any, ctx: Any, formatter: Any) -> None:
    panels: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        if (record := param.get_help_record(ctx)) is None:
            continue
        name, text = record
        if param.param_type_name == "argument":
            panels.setdefault("Arguments", []).append((_argument(param), text))
        else:
            panel = getattr(param, "rich_help_panel", None) or "Options"
            panels.setdefault(panel, []).append((name, text))
    for title, records in panels.items():
        with formatter.section(title):
            _table(formatter, records)


def _page(ctx: Any, formatter: Any) -> None:
    path = ctx.command_path.partition(" ")[2]
    if (page := PAGES.get(path)) is None:
        return
    tables = {"Exit codes": page.exits, "Environment": page.environment}
    for title, rows in tables.items():
        if rows:
            with formatter.section(title):
                _table(formatter, list(rows.items()))
    with formatter.section("Examples"):
        for line in page.examples:
            formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _table(formatter: Any, rows: list[tuple[str, str]]) -> None:
    if formatter.width >= NARROW or max(len(name) for name, _ in rows) <= SHORT:
        formatter.write_dl(rows, col_max=NAMES)
        return
    for name, text in rows:
        formatter.write(f"{'':>{formatter.current_indent}}{name}\n")
        with formatter.indentation():
            formatter.write_text(text)


def _sentence(text: str) -> str:
    """The first one, on one line."""
    first = text.strip().partition("\n\n")[0].replace("\n", " ")
    return first.partition(". ")[0].rstrip(".") + "."
