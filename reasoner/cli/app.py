"""The command line: which commands there are, and how an error becomes a line and a code."""

import gc
import os
import sys
from typing import Annotated

import typer

from reasoner.cli.ask import ask
from reasoner.cli.batch import batch
from reasoner.cli.cache import app as cache
from reasoner.cli.chat import chat
from reasoner.cli.command import Commands
from reasoner.cli.data import app as data
from reasoner.cli.doctor import doctor
from reasoner.cli.history import app as history
from reasoner.cli.models import app as models
from reasoner.cli.paths import paths
from reasoner.cli.plugins import app as plugins
from reasoner.cli.serve import serve
from reasoner.cli.strategies import app as strategies
from reasoner.cli.trace import trace
from reasoner.cli.train import app as train
from reasoner.cli.verify import verify
from reasoner.errors import ReasonerError

__all__ = ["app", "main"]

DEBUG = "REASONER_DEBUG"


app = Commands()


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"reasoner {version('reasoner')}")
        raise typer.Exit


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ[DEBUG] = "1"


@app.callback(invoke_without_command=True, no_args_is_help=False)
def root(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it and exit.")
    ] = False,
    debug: Annotated[  # noqa: ARG001
        bool, typer.Option("--debug", callback=_debug, help="Show tracebacks.")
    ] = False,
) -> None:
    """Answer hard questions on this machine with local models, and check the answers.

    Without a command: chat at a terminal; otherwise stdin is the question.
    Settings can also come from REASONER_* variables or from config.toml, see `reasoner paths`;
    flags win over variables, variables over the file.
    """
    if ctx.invoked_subcommand is None:
        _bare()


def _bare() -> None:
    from reasoner.cli.ask import answer
    from reasoner.cli.chat import converse
    from reasoner.cli.options import RunOptions
    from reasoner.cli.output.terminal import is_terminal
    from reasoner.cli.talk import TalkOptions
    from reasoner.cli.view import ViewOptions

    if is_terminal(sys.stdin):
        converse(RunOptions(), ViewOptions(), TalkOptions())
    else:
        answer(None, [], None, "text", RunOptions(), ViewOptions(), TalkOptions())


app.command()(ask)
app.command()(chat)
app.command()(batch)
app.command()(serve)
app.command(context_settings={"ignore_unknown_options": True})(verify)  # -3 is an answer
app.command()(trace)
app.add_typer(models, name="models")
app.add_typer(history, name="history")
app.add_typer(cache, name="cache")
app.add_typer(strategies, name="strategies")
app.add_typer(plugins, name="plugins")
app.add_typer(data, name="data")
app.add_typer(train, name="train")
app.command()(doctor)
app.command()(paths)


def main() -> None:
    """Run the command line; every error is one line on stderr and its exit code."""
    from reasoner.cli.output.terminal import tolerate

    gc.set_threshold(50_000)  # starting makes many objects and no garbage
    tolerate()
    try:
        app(prog_name="reasoner")
    except ReasonerError as error:
        sys.exit(_report(str(error), error, error.exit_code))
    except OSError as error:
        sys.exit(_report(f"the system refused: {error}", error, 1))
    except Exception as error:
        what = f"unexpected {type(error).__name__}: {error}"
        sys.exit(_report(f"{what}; run again with reasoner --debug … for a traceback", error, 1))


def _report(message: str, error: Exception, code: int) -> int:
    from reasoner.cli.output.terminal import complain

    if os.environ.get(DEBUG, "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    complain(message)
    return code
