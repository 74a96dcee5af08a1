"""`reasoner trace`: a run that `ask --trace` kept, shown again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reasoner.errors import UsageError

if TYPE_CHECKING:
    from reasoner.trace.trace import Trace

__all__ = ["trace"]


def trace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What ask --trace wrote.")],
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="OUT", help="Write one self-contained HTML file instead."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The tree's nodes as a JSON list on stdout.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours (also NO_COLOR=1).")
    ] = False,
) -> None:
    """Show a recorded run as a tree.

    A line is one step: its name or text, value, visits, the mean log-probability of its tokens,
    and what the model decided. ● is the path to the answer, ○ another one, ✂ one that was pruned;
    ✓ and ✗ are what the checks said, ↩ is a backtrack.
    """
    from reasoner.trace.trace import load_trace

    if html is not None and json:
        raise UsageError("give only one of --html and --json")
    run = load_trace(file)
    if json:
        _print_nodes(run)
    elif html is not None:
        _write_page(run, html)
    else:
        _show(run, no_color=no_color)


def _show(run: "Trace", *, no_color: bool) -> None:
    from reasoner.cli.output.headline import headline
    from reasoner.cli.output.outline import outline
    from reasoner.cli.output.segments import paint
    from reasoner.cli.output.terminal import colourful, columns

    colour, width = colourful(sys.stdout, no_color=no_color), columns(sys.stdout)
    for line in headline(run):
        print(paint(line, colour=colour, width=width))
    for line in outline(run.tree(), width):
        print(paint(line, colour=colour, width=width))


def _print_nodes(run: "Trace") -> None:
    from pydantic import TypeAdapter

    from reasoner.cli.output.writers import escape
    from reasoner.trace.node import TreeNode, tree_nodes

    nodes = TypeAdapter(list[TreeNode]).dump_json(list(tree_nodes(run.tree())), indent=2)
    print(escape(nodes.decode()))


def _write_page(run: "Trace", out: Path) -> None:
    from reasoner.cli.output.page import page

    try:
        out.write_text("".join(page(run)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
