"""A search that is watched while it goes on: a live tree at a terminal, else a line an event."""

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from reasoner.cli.output.branch import verdict_line
from reasoner.cli.output.canvas import Canvas
from reasoner.cli.output.fold import fold
from reasoner.cli.output.narrator import candidate_line
from reasoner.cli.output.pieces import DIM, Piece, paint
from reasoner.cli.output.terminal import is_terminal, one_line
from reasoner.trace.tree import SearchTree

if TYPE_CHECKING:
    from reasoner.events import Event, NodeEvent

__all__ = ["LiveTree", "PlainTree", "Watch", "open_watch"]

PAUSE = 0.1
"""Least seconds between two drawings."""
TALLEST = 24
"""Most lines that are drawn."""
LONGEST = 160
"""Characters of a step in a plain line."""


class Watch(Protocol):
    """`feed` it every event; `make_way` before others write; `close` at the end."""

    def feed(self, event: "Event") -> None: ...

    def make_way(self) -> None: ...

    def close(self) -> None: ...


def open_watch(stream: TextIO, *, colour: bool, alone: bool = True) -> Watch:
    """The one that suits the stream; `alone` tells that nobody else writes to that terminal."""
    if alone and is_terminal(stream) and os.environ.get("TERM") != "dumb":
        return LiveTree(Canvas(stream, colour=colour))
    return PlainTree(stream)


class LiveTree:
    """Draws the tree when something has changed, at most ten times a second."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._tree = SearchTree()
        self._began = self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, event: "Event") -> None:
        self._began = self._began or time.monotonic()
        self._tree.feed(event)
        if self._timer is None:
            wait = max(0.0, self._last + PAUSE - time.monotonic())
            with suppress(RuntimeError):  # outside the event loop: the next event draws
                self._timer = asyncio.get_running_loop().call_later(wait, self._draw)

    def make_way(self) -> None:
        self._canvas.erase()

    def close(self) -> None:
        """Draw how it ended, and leave that."""
        if self._timer is not None:
            self._timer.cancel()
        if self._tree.changes:
            self._draw()
            self._canvas.keep()
        self._tree = SearchTree()

    def _draw(self) -> None:
        self._timer, self._last = None, time.monotonic()
        width, height = self._canvas.size
        lines = fold(self._tree, width, min(height - 2, TALLEST))
        self._canvas.draw([*lines, self._footer()])

    def _footer(self) -> list[Piece]:
        """`3 lines being written · 14 states · 2 answers · 12 s`."""
        tree = self._tree
        writing, answers = len(tree.writing), len(tree.candidates)
        parts = [f"{_many(writing, 'line')} being written"] if writing else []
        parts += [_many(len(tree), "state")]
        parts += [_many(answers, "answer")] if answers else []
        parts += [f"{time.monotonic() - self._began:.0f} s"]
        return [(" · ".join(parts), DIM)]


class PlainTree:
    """Tells what happens to the tree, one line an event that is worth it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._known: dict[tuple[int, int, bool], float | None] = {}

    def feed(self, event: "Event") -> None:
        if event.kind == "step":
            said = event.step.name or event.step.text
            backs = " ↩ backtrack" if event.step.decision == "backtrack" else ""
            self._say(event.path, event.index + 1, one_line(said)[:LONGEST] + backs)
        elif event.kind == "node":
            self._node(event)
        elif event.kind == "verdict" and event.verdict.outcome in ("pass", "fail"):
            said = paint(verdict_line(event.verdict), colour=False)
            self._say(event.path, None if event.step is None else event.step + 1, said)
        elif event.kind == "candidate":
            self._say(event.path, None, f"ended · {candidate_line(event).split(' · ', 1)[1]}")

    def make_way(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _node(self, event: "NodeEvent") -> None:
        """Where a line forks off, what a state is worth when that is first known, its pruning."""
        key, step = (event.path, event.steps, event.done), None if event.done else event.steps
        forked = event.parent is not None and event.parent != event.path
        if key not in self._known and forked and not event.pruned:
            self._say(event.path, None, f"forked off line {event.parent} after step {event.forked}")
        told = self._known.get(key)
        self._known[key] = event.value
        worth = "" if event.value is None else f" at value {event.value:.2f}"
        if event.same is not None:
            self._say(event.path, step, f"says the same as line {event.same}")
        elif event.pruned:
            self._say(event.path, step, f"pruned{worth}")
        elif told is None and event.value is not None:
            self._say(event.path, step, f"value {event.value:.2f}")

    def _say(self, path: int, step: int | None, text: str) -> None:
        where = f"line {path}" if step is None else f"line {path}, step {step}"
        self._stream.write(f"{where}: {text}\n")
        self._stream.flush()


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
