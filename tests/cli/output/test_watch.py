"""Watching a search: the live tree at a terminal, plain lines elsewhere."""

import asyncio
import fcntl
import io
import os
import random
import re
import struct
import termios
import time
from pathlib import Path

import pytest

from reasoner.cli.output.canvas import Canvas
from reasoner.cli.output.fold import fold_tree
from reasoner.cli.output.segments import paint, width_of
from reasoner.cli.output.watch import REDRAW_SECONDS, LiveTree, TreeLog
from reasoner.trace.tree import SearchTree
from reasoner.types.events import CandidateEvent, Event, TextEvent, VerdictEvent
from reasoner.types.trajectory import Decision, FinishReason
from tests.cli.command import run
from tests.cli.terminal import Terminal
from tests.trace.test_tree import FORK, WRONG, grown, node, result, step

SEARCH = ("--strategy", "beam", "-S", "n=2", "-S", "width=2", "--min-steps", "1", "--max-steps")
SMALL = (*SEARCH, "1", "--budget", "12", "--max-tokens", "24", "--no-verify", "--watch")
PATIENCE = 120.0
"""Seconds; a busy machine takes its time to start."""
ENDLESS = ("--strategy", "majority", "--min-steps", "500", "--budget", "6000", "--no-verify")


def shown(tree: SearchTree, width: int, height: int) -> list[str]:
    return [paint(line, colour=False) for line in fold_tree(tree, width, height)]


def bushy(seed: int, size: int = 200) -> SearchTree:
    """A tree of any shape: forks, chains, values, pruned states, answers, unfinished text."""
    draw = random.Random(seed)
    events: list[Event] = [node(0, None, 0)]
    known = [(0, 0)]
    for path in range(1, size):
        parent, steps = draw.choice(known[-20:])
        events.append(step(path, steps, f"{path} " * draw.randrange(40)))
        more = {"value": draw.choice([None, draw.random()]), "pruned": draw.random() < 0.3}
        events.append(node(path, parent, steps + 1, forked=steps, **more))
        if draw.random() < 0.1:
            events.append(TextEvent(path=path, channel="reasoning", text="thinking " * 20))
        known.append((path, steps + 1))
    return grown(events)


@pytest.mark.parametrize("seed", range(8))
def test_a_folded_tree_fits_the_window(seed: int) -> None:
    tree = bushy(seed)
    for height in (1, 2, 3, 7, 20, 1000):
        for width in (1, 14, 40, 120):
            lines = fold_tree(tree, width, height)
            assert 1 <= len(lines) <= height
            assert max(width_of(paint(x, colour=False, width=width)) for x in lines) <= width


def test_the_best_path_is_the_last_to_be_folded() -> None:
    tree = bushy(3)
    tree.add_event(result(150))
    chain = [state for state in tree.best_path() if len(state.children) != 1][1:]
    lines = shown(tree, 200, 2 * len(chain) + 1)
    assert sum("●" in line for line in lines) == len(chain)
    assert any("more" in line for line in lines)


def test_what_was_pruned_is_folded_before_what_was_not() -> None:
    tree = grown([*FORK, step(3, 0, "c"), node(3, 0, 1, value=0.9, pruned=True)])
    assert shown(tree, 80, 2) == ["├ ● b · value 0.75", "└ … 2 more, 1 pruned"]
    every = ["├ ○ a · value 0.25", "├ ● b · value 0.75", "└ ✂ c · value 0.90"]
    assert shown(tree, 80, 3) == every


def test_a_chain_is_one_line_and_shows_what_is_being_written() -> None:
    events: list[Event] = [node(0, None, 0), *(step(0, index, f"s{index}") for index in range(9))]
    tree = grown(events)
    assert shown(tree, 80, 9) == ["└ ● s8 · 9 steps"]
    tree.add_event(TextEvent(path=0, channel="reasoning", text="so far and\nso on"))
    assert shown(tree, 80, 9) == ["└ ● so far and so on · 9 steps"]


def window(descriptor: int, columns: int, rows: int = 24) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_a_narrowed_window_is_erased_by_the_rows_the_lines_take_now() -> None:
    master, slave = os.openpty()
    with open(slave, "w") as stream:
        canvas = Canvas(stream, colour=False)
        window(slave, 80)
        canvas.draw([[("x" * 70, "")], [("y" * 30, "")], [("z", "")]])
        drawn = os.read(master, 4096)
        window(slave, 40)
        canvas.draw([[("x" * 70, "")]])
        again = os.read(master, 4096)
        canvas.erase()
        assert os.read(master, 4096) == b"\r\x1b[J"
    os.close(master)
    assert drawn.count(b"\n") == 2
    assert again == b"\r\x1b[3A\x1b[J" + b"x" * 38 + "…".encode()


async def test_it_draws_ten_times_a_second_at_most_and_not_at_all_when_nothing_happens() -> None:
    stream = io.StringIO()
    live, began = LiveTree(Canvas(stream, colour=False)), time.monotonic()
    live.feed(node(0, None, 0))
    for index in range(3000):
        live.feed(step(0, index, "s"))
        await asyncio.sleep(0)
    await asyncio.sleep(3 * REDRAW_SECONDS)
    draws = stream.getvalue().count("state")
    assert 2 <= draws <= 2 + (time.monotonic() - began) / REDRAW_SECONDS
    assert "3000 steps" in stream.getvalue().splitlines()[-2]
    size = len(stream.getvalue())
    await asyncio.sleep(3 * REDRAW_SECONDS)
    assert len(stream.getvalue()) == size
    live.close()
    assert stream.getvalue().endswith("\n")


def test_plain_lines_tell_what_is_worth_telling() -> None:
    stream = io.StringIO()
    plain = TreeLog(stream)
    ended = CandidateEvent(path=3, final="4", finish_reason=FinishReason.STOP, tokens=9)
    more: tuple[Event, ...] = (
        node(1, 0, 1, value=0.25, pruned=True),
        TextEvent(path=3, channel="reasoning", text="c"),
        step(3, 1, "c\x1b[31m", decision=Decision.BACKTRACK),
        VerdictEvent(path=3, step=1, verdict=WRONG),
        node(3, 2, 2, forked=1, pruned=True, same=2),
        ended,
    )
    for event in (*FORK, *more):
        plain.feed(event)
    assert stream.getvalue().splitlines() == [
        "trajectory 1, step 1: a",
        "trajectory 2, step 1: b",
        "trajectory 1: forked off trajectory 0 after step 0",
        "trajectory 2: forked off trajectory 0 after step 0",
        "trajectory 1, step 1: value 0.25",
        "trajectory 2, step 1: value 0.75",
        "trajectory 1, step 1: pruned at value 0.25",
        "trajectory 3, step 2: c ↩ backtrack",
        "trajectory 3, step 2: ✗ picky: no",
        "trajectory 3, step 2: says the same as trajectory 2",
        "trajectory 3: ended with 4 (9 tokens)",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [30, 100])
def test_a_search_is_watched_at_a_terminal(tiny_gguf: Path, tmp_path: Path, columns: int) -> None:
    asked: list[str | Path] = ["ask", "How many?", "-m", tiny_gguf, *SMALL]
    with Terminal(tmp_path, asked, columns=columns) as terminal:
        assert terminal.wait(PATIENCE) == 0
        assert terminal.restored()
        screen = terminal.screen.decode()
    final = screen.split("\x1b[J")[-1]
    assert "●" in final
    assert "states" in final
    assert final.index("states") < final.index("answered, not checked")
    assert b"\x1b[?25l" not in terminal.screen


@pytest.mark.slow
def test_where_nothing_can_be_drawn_it_is_plain_lines(tiny_gguf: Path, tmp_path: Path) -> None:
    asked: list[str | Path] = ["ask", "How many?", "-m", tiny_gguf, *SMALL]
    piped = run(tmp_path, *asked, seconds=PATIENCE)
    assert piped.returncode == 0
    with Terminal(tmp_path / "another", asked, TERM="dumb") as terminal:
        assert terminal.wait(PATIENCE) == 0
    for told in (piped.stderr, terminal.screen):
        assert b"trajectory 1, step 1: " in told
        assert b"\x1b" not in told


@pytest.mark.slow
def test_no_color_leaves_the_tree_and_takes_the_colours(tiny_gguf: Path, tmp_path: Path) -> None:
    asked: list[str | Path] = ["ask", "How many?", "-m", tiny_gguf, *SMALL]
    with Terminal(tmp_path, asked, NO_COLOR="1") as terminal:
        assert terminal.wait(PATIENCE) == 0
    assert not re.search(rb"\x1b\[[0-9;]*m", terminal.screen)
    assert b"\x1b[J" in terminal.screen


def test_ctrl_c_leaves_the_tree_and_the_terminal(smollm2: Path, tmp_path: Path) -> None:
    asked: list[str | Path] = ["ask", "Tell me a story.", "-m", smollm2, *ENDLESS, "--watch"]
    with Terminal(tmp_path, asked) as terminal:
        terminal.expect("being written", PATIENCE)
        terminal.send("\x03")
        assert terminal.wait(PATIENCE) == 130
        assert terminal.restored()
        assert terminal.screen.splitlines()[-1].startswith(b"reasoner: interrupted")
        assert b"Traceback" not in terminal.screen


def test_quiet_is_quiet(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "How many?", "-m", tiny_gguf, *SMALL, "-q", seconds=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
