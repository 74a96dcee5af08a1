"""The command line: the table of commands, and how an error becomes a line and an exit code."""

import gc
import os
import sys
import traceback
from typing import Annotated

import typer

from reasoner.cli.help.commands import CommandEntry, CommandGroup, Commands
from reasoner.cli.output.terminal import is_terminal, make_streams_lossy, mute_stdout, print_error
from reasoner.errors import ReasonerError

__all__ = ["COMMANDS", "app", "run_command_line"]

DEBUG_VARIABLE = "REASONER_DEBUG"
GC_THRESHOLD_OBJECTS = 50_000
"""Starting makes many objects and no garbage, so the collector would only cost time."""
PACKAGE = "reasoner.cli.commands"

COMMANDS = {
    "ask": CommandEntry(f"{PACKAGE}.ask:ask", "Answer a question and check the answer."),
    "chat": CommandEntry(f"{PACKAGE}.chat:chat", "Talk with a model over several turns."),
    "batch": CommandEntry(
        f"{PACKAGE}.batch:batch", "Answer many questions at once, each as a line of JSON."
    ),
    "eval": CommandEntry(
        f"{PACKAGE}.eval:evaluate_settings",
        "Measure and compare settings on questions with known answers.",
    ),
    "serve": CommandEntry(f"{PACKAGE}.serve:serve", "Keep a model loaded and answer over HTTP."),
    "verify": CommandEntry(
        f"{PACKAGE}.verify:verify",
        "Check an answer without a model.",
        {"ignore_unknown_options": True},  # -3 is an answer
    ),
    "trace": CommandEntry(f"{PACKAGE}.trace:trace", "Show a recorded run as a tree."),
    "doctor": CommandEntry(
        f"{PACKAGE}.doctor:doctor", "Check the build, the hardware, the models and the plugins."
    ),
    "paths": CommandEntry(
        f"{PACKAGE}.paths:paths", "Show where configuration, models and data live."
    ),
    "models": CommandEntry(
        f"{PACKAGE}.models:app", "List, recommend, fetch, inspect and remove models."
    ),
    "history": CommandEntry(
        f"{PACKAGE}.history:app",
        "List, read, search, export and delete what was asked and answered.",
    ),
    "cache": CommandEntry(
        f"{PACKAGE}.cache:app",
        "Show or empty the caches: answers, verdicts, and prompts as a model has read them.",
    ),
    "strategies": CommandEntry(
        f"{PACKAGE}.strategies:app",
        "List the strategies: how candidates are generated, and how one is chosen.",
    ),
    "plugins": CommandEntry(f"{PACKAGE}.plugins:app", "List, enable and disable plugins."),
    "data": CommandEntry(f"{PACKAGE}.data:app", "Make data to train on."),
    "train": CommandEntry(f"{PACKAGE}.train:app", "Train a small model on data made here."),
}

app = Commands(entries=COMMANDS)


def _show_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print(f"reasoner {version('reasoner')}")
        raise typer.Exit


def _show_tracebacks(requested: bool) -> None:
    if requested:
        os.environ[DEBUG_VARIABLE] = "1"


@app.callback(invoke_without_command=True, no_args_is_help=False)
def root(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it and exit."),
    ] = False,
    debug: Annotated[  # noqa: ARG001
        bool, typer.Option("--debug", callback=_show_tracebacks, help="Show tracebacks.")
    ] = False,
) -> None:
    """Answer hard questions on this machine with local models, and check the answers.

    Without a command: chat at a terminal; otherwise stdin is the question.
    Settings can also come from REASONER_* variables or from config.toml, see `reasoner paths`;
    flags win over variables, variables over the file.
    """
    if ctx.invoked_subcommand is None and isinstance(ctx.command, CommandGroup):
        name = "chat" if is_terminal(sys.stdin) else "ask"
        command = ctx.command.load_command(name)
        with command.make_context(name, [], parent=ctx) as command_ctx:
            command.invoke(command_ctx)


def run_command_line() -> None:
    """Run the command line; every error becomes one line on stderr and an exit code."""
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    make_streams_lossy()
    try:
        try:
            app(prog_name="reasoner")
        finally:
            _flush_stdout()  # here, so that a full disk is one line and not an error at the exit
    except ReasonerError as error:
        sys.exit(_report_error(str(error), error, error.exit_code))
    except OSError as error:
        sys.exit(_report_error(f"the system refused: {error}", error, 1))
    except Exception as error:
        summary = f"unexpected {type(error).__name__}: {error}"
        hint = "run again with reasoner --debug … for a traceback"
        sys.exit(_report_error(f"{summary}; {hint}", error, 1))


def _flush_stdout() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader left, as `head` does
        mute_stdout()
    except OSError:
        mute_stdout()  # the interpreter would try once more at its exit
        raise


def _report_error(message: str, error: Exception, exit_code: int) -> int:
    if os.environ.get(DEBUG_VARIABLE, "0") not in ("", "0"):
        traceback.print_exception(error)
    print_error(message)
    return exit_code
