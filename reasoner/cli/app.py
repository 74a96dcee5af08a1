"""The command line: which commands there are, and how an error becomes a line and a code."""

import gc
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from reasoner.cli.ask import ask
from reasoner.cli.batch import batch
from reasoner.cli.cache import app as cache
from reasoner.cli.chat import chat
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
from reasoner.errors import ReasonerError, UnknownName

__all__ = ["app", "main"]

DEBUG = "REASONER_DEBUG"


class Command(TyperCommand):
    """A command whose plain help lists the options under their headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                panel = getattr(param, "rich_help_panel", None)
                kind = "Arguments" if param.param_type_name == "argument" else "Options"
                panels.setdefault(panel or kind, []).append(record)
        for title, records in panels.items():
            with formatter.section(title):
                formatter.write_dl(records)


class Group(TyperGroup):
    """Knows what to say to a word that is no command, and to a reader that has left."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            raise UnknownName(
                "command", name[:60], self.commands, hint='(questions: reasoner ask "…")'
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        from reasoner.cli.output.terminal import mute

        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            mute()
            raise typer.Exit(0) from None


app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _examples(*lines: str) -> str:
    r"""An epilog that keeps its line breaks (`\b` is Click's sign for that)."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"reasoner {version('reasoner')}")
        raise typer.Exit


def _debug(wanted: bool) -> None:
    if wanted:
        os.environ[DEBUG] = "1"


@app.callback(
    invoke_without_command=True,
    epilog=_examples(
        'reasoner ask "How many positive divisors has 360?"',
        'git diff | reasoner ask "Is there a bug in this?" -m qwen2.5-coder-1.5b',
        "reasoner chat",
        "reasoner doctor",
    ),
)
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

    \b
    Exit codes:
      0 answered   1 failure   2 usage   3 the answer was refuted
      4 no answer  130 interrupted
    """
    if ctx.invoked_subcommand is None:
        _bare()


def _bare() -> None:
    from reasoner.cli.ask import answer
    from reasoner.cli.chat import converse
    from reasoner.cli.options import RunOptions, ViewOptions
    from reasoner.cli.output.terminal import is_terminal
    from reasoner.cli.talk import TalkOptions

    if is_terminal(sys.stdin):
        converse(RunOptions(), ViewOptions(), TalkOptions())
    else:
        answer(None, [], None, "text", RunOptions(), ViewOptions(), TalkOptions())


app.command(
    cls=Command,
    epilog=_examples(
        'reasoner ask "A train covers 120 km in 1.5 h. How fast is it?"',
        'reasoner ask "What is 17 * 23?" --expect 391 --final',
        'reasoner ask "Write slug(title)." --tests test_slug.py -x',
        'reasoner ask "Review this." -f main.py --effort high -u',
        'reasoner ask "Use 4 7 8 8 to make 24." --strategy mcts --watch --trace run.json',
        'reasoner ask -c "And in Rust?"',
        "cat question.txt | reasoner ask --json -m ./model.gguf -o top_p=0.9",
    ),
)(ask)
app.command(
    cls=Command,
    epilog=_examples(
        "reasoner chat", "reasoner chat -m smollm2-135m --no-think", "reasoner chat --continue"
    ),
)(chat)
app.command(
    cls=Command,
    epilog=_examples(
        "reasoner batch questions.jsonl --out answers.jsonl",
        "reasoner batch gsm8k.csv --expect-field answer --out scored.jsonl --effort low",
        "cat questions.jsonl | reasoner batch --as-finished | jq -r '[.id, .final] | @tsv'",
    ),
)(batch)
app.command(
    cls=Command,
    epilog=_examples(
        "reasoner serve -m smollm2-135m",
        "REASONER_API_KEY=… reasoner serve --host 0.0.0.0 --timeout 120",
        'reasoner ask --server http://127.0.0.1:8642 "What is 17 * 23?"',
        "curl http://127.0.0.1:8642/v1/models",
    ),
)(serve)
app.command(
    cls=Command,
    context_settings={"ignore_unknown_options": True},  # -3 is an answer
    epilog=_examples(
        'reasoner verify "1/2" --expect "\\frac{2}{4}"',
        "reasoner verify -f solution.py --tests test_solution.py",
        'reasoner ask "…" | reasoner verify --expect 42',
        "reasoner verify --jsonl answers.jsonl > verdicts.jsonl",
    ),
)(verify)
app.command(
    cls=Command,
    epilog=_examples(
        'reasoner ask "…" --strategy beam --trace run.json',
        "reasoner trace run.json | less",
        "reasoner trace run.json --html run.html",
        "reasoner trace run.json --json | jq 'map(select(.best))'",
    ),
)(trace)
app.add_typer(
    models,
    name="models",
    epilog=_examples(
        "reasoner models list",
        "reasoner models pull smollm2-135m",
        "reasoner models show ./model.gguf --json",
    ),
)
app.add_typer(
    history,
    name="history",
    epilog=_examples(
        "reasoner history list",
        "reasoner history search prime numbers",
        "reasoner history show 3fa2 --reasoning",
        "reasoner history export > talks.jsonl",
        "reasoner history rm 3fa2",
    ),
)
app.add_typer(
    cache,
    name="cache",
    epilog=_examples(
        "reasoner cache info --json",
        "reasoner cache clear prompts",
        'reasoner ask --no-cache "…"',
        "REASONER_CACHE_SIZE=500 reasoner ask …   # megabytes of prompts",
    ),
)
app.add_typer(
    strategies,
    name="strategies",
    epilog=_examples("reasoner strategies list", 'reasoner ask "…" --strategy majority -S n=8'),
)
app.add_typer(
    plugins,
    name="plugins",
    epilog=_examples(
        "reasoner plugins list --json",
        "reasoner plugins enable my_check",
        "reasoner plugins disable sympy_check",
    ),
)
app.add_typer(data, name="data")
app.add_typer(train, name="train")
app.command(cls=Command, epilog=_examples("reasoner doctor", "reasoner doctor --json"))(doctor)
app.command(
    cls=Command,
    epilog=_examples(
        "reasoner paths", "reasoner paths --json", "REASONER_CACHE_DIR=/big reasoner paths"
    ),
)(paths)


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
