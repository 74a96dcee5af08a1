"""Commands and groups of commands whose modules are imported when they are needed.

A group knows its commands as `CommandEntry` rows: a name, a one-line help and the place of the
code. The group's own help and the completion of command names are made from these rows; a
command's module is imported when the command runs or when its own help is requested.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group
from typer.models import CommandFunctionType

from reasoner.cli.help.completion_script import OPTION_HELP, run_completion_option
from reasoner.cli.help.layout import (
    argument_name,
    first_sentence,
    help_text,
    write_options,
    write_page,
    write_table,
)
from reasoner.cli.output.terminal import mute_stdout
from reasoner.errors import UnknownName, UsageError

__all__ = ["Command", "CommandEntry", "CommandGroup", "Commands"]


PATH_METAVARS = ("FILE", "MODEL")
"""Parameters that may be the name of a file, whose bytes need not be text."""


class CommandEntry(NamedTuple):
    """A row in the table of commands.

    `target` is `module:name`, where the name is a command function or a `Commands` group, and
    `summary` is the first sentence of its docstring.
    """

    target: str
    summary: str
    context_settings: Mapping[str, Any] = {}


class Commands(typer.Typer):
    """A group of commands, from rows of `entries` or registered with the `command` decorator."""

    def __init__(
        self, about: str | None = None, entries: Mapping[str, CommandEntry] | None = None
    ) -> None:
        super().__init__(
            cls=type("CommandGroup", (CommandGroup,), {"entries": entries or {}}),
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
    """A command whose help lists the options under their headings, and then its manual page."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _usage_errors(ctx):
            rest = list(super().parse_args(ctx, args))
        for param in self.get_params(ctx):
            if param.metavar not in PATH_METAVARS:
                _require_text(param, ctx.params.get(param.name))
        return rest

    def get_help(self, ctx: Any) -> str:
        return help_text(self, ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        names = [(argument_name(argument), argument.required) for argument in arguments]
        return ["[OPTIONS]", *(name if required else f"[{name}]" for name, required in names)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        write_page(ctx, formatter)


class CommandStub(TyperCommand):
    """The name and one-line help of a command whose module is not imported yet."""

    def __init__(self, name: str, entry: CommandEntry) -> None:
        super().__init__(name, help=entry.summary)
        self._entry = entry

    def load(self) -> Any:
        """Import the command's module and return the command or group itself."""
        module, _, attribute = self._entry.target.partition(":")
        target = getattr(import_module(module), attribute)
        if isinstance(target, typer.Typer):
            command: Any = get_group(target)
        else:
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            settings = dict(self._entry.context_settings)
            single.command(cls=Command, context_settings=settings or None)(target)
            command = get_command(single)
        command.name = self.name
        return command


class CommandGroup(TyperGroup):
    """A group that loads the command which is called, and names the nearest for an unknown word.

    `commands` and `get_command` give a stub for a command that is not loaded yet; `load_command`
    gives the command itself.
    """

    entries: ClassVar[Mapping[str, CommandEntry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, entry in self.entries.items():
            self.add_command(CommandStub(name, entry))

    def get_params(self, ctx: Any) -> list[Any]:
        params = list(super().get_params(ctx))
        for param in params:
            if param.opts[0] in OPTION_HELP:  # Typer's help does not know about the name
                param.help = OPTION_HELP[param.opts[0]]  # type: ignore[attr-defined]
        return params

    def load_command(self, name: str) -> Any:
        """Return the command of that name, with its module imported. Raises KeyError."""
        command = self.commands[name]
        if isinstance(command, CommandStub):
            command = self.commands[name] = command.load()
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.parent is None and not ctx.resilient_parsing:
            run_completion_option(ctx, args)
        with _usage_errors(ctx):
            return list(super().parse_args(ctx, args))

    def get_help(self, ctx: Any) -> str:
        return help_text(self, ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_options(self, ctx, formatter)
        rows = [(name, first_sentence(c.help or "")) for name, c in self.commands.items()]
        with formatter.section("Commands"):
            write_table(formatter, rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        write_page(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that the first word names. Raises UnknownName when there is none."""
        name = args[0]
        if name in self.commands:
            self.load_command(name)
        elif not name.startswith("-"):
            hint = f"({ctx.command_path} --help lists them)"
            if ctx.parent is None:
                hint = '(questions: reasoner ask "…")'
            raise UnknownName("command", name[:60], self.commands, hint=hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises typer.Exit when the reader of stdout is gone."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            mute_stdout()
            raise typer.Exit(0) from None


def _require_text(param: Any, value: Any) -> None:
    """Raise UsageError for bytes of the command line that are no UTF-8: they arrive as lone
    surrogates, which can be neither sent nor stored."""
    for text in value if isinstance(value, list | tuple) else (value,):
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                name = param.opts[0] if param.param_type_name == "option" else argument_name(param)
                raise UsageError(
                    f"{name} is not UTF-8 text; give text, or convert it first"
                ) from None


@contextmanager
def _usage_errors(ctx: Any) -> Iterator[None]:
    """Turn Click's complaints about the arguments into a UsageError of one line."""
    try:
        yield
    except Exception as error:
        format_message = getattr(error, "format_message", None)
        if format_message is None or type(error).__name__ == "NoArgsIsHelpError":
            raise
        message = format_message().rstrip(".").replace("Value error, ", "")
        hint = f"see {ctx.command_path} --help"
        raise UsageError(f"{message[0].lower()}{message[1:]}; {hint}") from error
