"""Shows a search while it goes on: a live tree at a terminal, elsewhere a line for an event."""

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from reasoner.cli.output.branch import verdict_line
from reasoner.cli.output.canvas import Canvas
from reasoner.cli.output.fold import fold_tree
from reasoner.cli.output.segments import DIM, Segment, paint
from reasoner.cli.output.sentences import candidate_summary
from reasoner.cli.output.terminal import one_line, rewritable
from reasoner.trace.tree import SearchTree

if TYPE_CHECKING:
    from reasoner.types.events import Event, NodeEvent

__all__ = ["LiveTree", "SearchView", "TreeLog", "open_search_view"]

REDRAW_SECONDS = 0.1
MAX_TREE_ROWS = 24
MAX_STEP_CHARACTERS = 160
"""Characters of a step in a plain line."""


class SearchView(Protocol):
    """Shows a search.

    `feed` takes every event, `make_way` clears the place for other output, `close` ends it.
    """

    def feed(self, event: "Event") -> None: ...

    def make_way(self) -> None: ...

    def close(self) -> None: ...


def open_search_view(stream: TextIO, *, colour: bool, alone: bool = True) -> SearchView:
    """A view that suits the stream; `alone` means that nothing else is written to its terminal."""
    if alone and rewritable(stream):
        return LiveTree(Canvas(stream, colour=colour))
    return TreeLog(stream)


class LiveTree:
    """Draws the tree when something has changed, at most ten times a second."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._tree = SearchTree()
        self._began = self._drawn_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, event: "Event") -> None:
        self._began = self._began or time.monotonic()
        self._tree.add_event(event)
        if self._timer is None:
            wait = max(0.0, self._drawn_at + REDRAW_SECONDS - time.monotonic())
            with suppress(RuntimeError):  # outside the event loop: the next event draws
                self._timer = asyncio.get_running_loop().call_later(wait, self._draw)

    def make_way(self) -> None:
        self._canvas.erase()

    def close(self) -> None:
        """Draw the finished tree and let it stay."""
        if self._timer is not None:
            self._timer.cancel()
        if self._tree.change_count:
            self._draw()
            self._canvas.keep()
        self._tree = SearchTree()

    def _draw(self) -> None:
        self._timer, self._drawn_at = None, time.monotonic()
        width, height = self._canvas.size
        lines = fold_tree(self._tree, width, min(height - 2, MAX_TREE_ROWS))
        self._canvas.draw([*lines, self._footer()])

    def _footer(self) -> list[Segment]:
        """Return `3 trajectories being written · 14 states · 2 answers · 12 s`."""
        tree = self._tree
        writing, answers = len(tree.unfinished_trajectories), len(tree.candidates)
        noun = "trajectory" if writing == 1 else "trajectories"
        parts = [f"{writing} {noun} being written"] if writing else []
        parts += [_many(len(tree), "state")]
        parts += [_many(answers, "answer")] if answers else []
        parts += [f"{time.monotonic() - self._began:.0f} s"]
        return [(" · ".join(parts), DIM)]


class TreeLog:
    """Writes a plain line for each event that changes the tree."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._values: dict[tuple[int, int, bool], float | None] = {}

    def feed(self, event: "Event") -> None:
        if event.kind == "step":
            text = one_line(event.step.name or event.step.text)[:MAX_STEP_CHARACTERS]
            backtrack = " ↩ backtrack" if event.step.decision == "backtrack" else ""
            self._write(event.path, event.index + 1, text + backtrack)
        elif event.kind == "node":
            self._node(event)
        elif event.kind == "verdict" and event.verdict.outcome in ("pass", "fail"):
            verdict = paint(verdict_line(event.verdict), colour=False)
            self._write(event.path, None if event.step is None else event.step + 1, verdict)
        elif event.kind == "candidate":
            self._write(event.path, None, f"ended with {candidate_summary(event)}")

    def make_way(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _node(self, event: "NodeEvent") -> None:
        """Write where a trajectory forks off, the first value of a state, and its pruning."""
        key, step = (event.path, event.steps, event.done), None if event.done else event.steps
        forked = event.parent is not None and event.parent != event.path
        if key not in self._values and forked and not event.pruned:
            self._write(
                event.path, None, f"forked off trajectory {event.parent} after step {event.forked}"
            )
        known_value = self._values.get(key)
        self._values[key] = event.value
        at_value = "" if event.value is None else f" at value {event.value:.2f}"
        if event.same is not None:
            self._write(event.path, step, f"says the same as trajectory {event.same}")
        elif event.pruned:
            self._write(event.path, step, f"pruned{at_value}")
        elif known_value is None and event.value is not None:
            self._write(event.path, step, f"value {event.value:.2f}")

    def _write(self, number: int, step: int | None, text: str) -> None:
        place = f"trajectory {number}" if step is None else f"trajectory {number}, step {step}"
        self._stream.write(f"{place}: {text}\n")
        self._stream.flush()


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
