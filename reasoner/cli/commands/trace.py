"""`reasoner trace`: a run recorded by `ask --trace`, as a tree, HTML or JSON."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from reasoner.atomic_file import write_atomically
from reasoner.cli.output.headline import headline
from reasoner.cli.output.json_text import escape_json
from reasoner.cli.output.outline import outline_tree
from reasoner.cli.output.page import html_page
from reasoner.cli.output.segments import paint
from reasoner.cli.output.terminal import colourful, columns
from reasoner.errors import UsageError
from reasoner.trace.node import TreeNode, tree_nodes
from reasoner.trace.trace import Trace, load_trace

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
    _require_one_form(html, json)
    run_trace = load_trace(file)
    if json:
        _print_nodes(run_trace)
    elif html is not None:
        _write_page(run_trace, html)
    else:
        _print_tree(run_trace, no_color=no_color)


def _require_one_form(html: Path | None, json: bool) -> None:
    if html is not None and json:
        raise UsageError("give only one of --html and --json")


def _print_tree(run_trace: Trace, *, no_color: bool) -> None:
    colour, width = colourful(sys.stdout, no_color=no_color), columns(sys.stdout)
    for line in headline(run_trace):
        print(paint(line, colour=colour, width=width))
    for line in outline_tree(run_trace.tree(), width):
        print(paint(line, colour=colour, width=width))


def _print_nodes(run_trace: Trace) -> None:
    nodes = TypeAdapter(list[TreeNode]).dump_json(list(tree_nodes(run_trace.tree())), indent=2)
    print(escape_json(nodes.decode(), sys.stdout))


def _write_page(run_trace: Trace, out: Path) -> None:
    page = "".join(html_page(run_trace))
    try:
        if out.exists() and not out.is_file():  # a device or a pipe cannot be replaced
            out.write_text(page, encoding="utf-8")
        else:
            write_atomically(out.resolve(), page)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
