"""`ask --trace` and `reasoner trace`: what is kept, and how it is shown again."""

import json
import os
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reasoner.cli.output.outline import outline_tree
from reasoner.cli.output.segments import paint, width_of
from reasoner.settings import Settings
from reasoner.trace.trace import load_trace
from reasoner.trace.writer import TraceWriter
from reasoner.types.problem import Problem
from tests.cli.command import COMMAND, environment, run
from tests.cli.terminal import Terminal
from tests.trace.test_tree import FORK, grown, node, result, step

SEARCH = ("--strategy", "beam", "-S", "n=4", "-S", "width=2", "--min-steps", "2", "--max-steps")
SMALL = (*SEARCH, "3", "--budget", "24", "--max-tokens", "60", "--no-verify", "--hide-reasoning")
HOSTILE = "</pre><script>alert(1)</script>\"'&\x1b[31m\x1b]0;t\x07\u202e" + "x" * 500


@pytest.fixture(scope="module")
def recorded(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace of a beam search by a model that writes noise."""
    home = tmp_path_factory.mktemp("home")
    file = home / "run.json"
    asked = ("ask", "How many?", "-m", tiny_gguf, *SMALL, "--trace", file)
    done = run(home, *asked, seconds=240.0)  # a busy machine takes its time to start
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture
def hostile(tmp_path: Path, own_directories: Path) -> Path:
    """A trace in which every text means harm."""
    file = tmp_path / "hostile.json"
    settings = Settings.load(model=HOSTILE)
    with TraceWriter(file, Problem(question=HOSTILE), settings) as tracer:
        tracer.add_event(node(0, None, 0))
        more = {"name": HOSTILE, "summary": HOSTILE, "reflection": HOSTILE}
        tracer.add_event(step(0, 0, HOSTILE, tokens=3, logprob=-1e308, **more))
        tracer.add_event(node(0, 0, 1, value=1e308, visits=10**18))
    return file


@pytest.mark.slow
def test_a_search_is_kept_and_shown_as_a_tree(recorded: Path, tmp_path: Path) -> None:
    trace = load_trace(recorded)
    assert trace.settings["strategy"] == "beam"
    assert trace.result is not None
    done = run(tmp_path, "trace", recorded)
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert shown.startswith("How many?\nbeam · ")
    assert {"●", "├ ", "└ ", "value ", "logprob "} <= {
        word for word in ("●", "├ ", "└ ", "value ", "logprob ") if word in shown
    }
    assert "\x1b" not in shown


def test_nodes_are_plain_data(recorded: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "trace", recorded, "--json")
    nodes = json.loads(done.stdout)
    known = {None, *(node["id"] for node in nodes)}
    assert all(node["parent"] in known for node in nodes)
    assert [node for node in nodes if node["best"] and node["done"]]
    assert any(node["mean_logprob"] for node in nodes)


@pytest.mark.slow
def test_it_fits_a_narrow_window(recorded: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, ["trace", recorded], columns=40, NO_COLOR="1") as terminal:
        assert terminal.wait() == 0
        shown = terminal.screen.decode().splitlines()
    assert len(shown) > 5
    assert max(map(width_of, shown)) <= 40
    with Terminal(tmp_path, ["trace", recorded], columns=40) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b[2m" in terminal.screen


class Page(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def test_a_page_stands_alone_and_lets_nothing_in(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.html"
    done = run(tmp_path, "trace", hostile, "--html", out)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    text = out.read_text()
    seen = Page(text)
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "a"}
    meta = {"lang", "charset", "http-equiv", "content", "name"}
    assert seen.names <= meta | {"class", "style", "value"}
    assert "default-src 'none'" in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert "&lt;script&gt;" in text


@pytest.mark.slow
@pytest.mark.parametrize("columns", [12, 40, 200])
def test_hostile_texts_do_not_reach_the_terminal(
    hostile: Path, tmp_path: Path, columns: int
) -> None:
    with Terminal(tmp_path, ["trace", hostile, "--no-color"], columns=columns) as terminal:
        assert terminal.wait() == 0
        shown = terminal.screen.decode()
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert max(map(width_of, shown.splitlines())) <= columns


def test_deep_forks_stay_inside_the_window() -> None:
    events = [node(0, None, 0)]
    for depth in range(200):
        events.append(node(2 * depth + 1, max(0, 2 * depth - 2), depth + 1, forked=depth))
        events.append(node(2 * depth + 2, max(0, 2 * depth), depth + 1, forked=depth))
    tree = grown([*events, result(0)])
    lines = [paint(line, colour=False, width=40) for line in outline_tree(tree, 40)]
    assert len(lines) > 400
    assert max(map(width_of, lines)) <= 40


def test_a_run_that_was_stopped_leaves_what_there_was(smollm2: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    limits: list[str | Path] = ["--min-steps", "500", "--budget", "6000", "--no-verify"]
    asked = ["ask", "Tell me a story.", "-m", smollm2, *limits, "--trace", file]
    with Terminal(tmp_path, asked) as terminal:
        terminal.expect("\x1b[2m")
        terminal.send("\x03")
        assert terminal.wait() == 130
    assert load_trace(file).ended == "interrupted"
    assert b"did not come to its end: interrupted" in run(tmp_path, "trace", file).stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (None, 2, "cannot read"),
        ("", 1, "cut off"),
        ('{"format": "reasoner trace", "ver', 1, "cut off"),
        ('{"a": 1}', 1, "is no trace"),
        ("\x1b[31mred", 1, "is no trace"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    tmp_path: Path, text: str | None, code: int, says: str
) -> None:
    file = tmp_path / "x.json"
    if text is not None:
        file.write_text(text)
    done = run(tmp_path, "trace", file)
    assert (done.returncode, done.stdout) == (code, b"")
    assert says in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr


@pytest.mark.slow
def test_a_place_without_room_is_told_and_the_answer_kept(tiny_gguf: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    words = [*COMMAND, "ask", "How many?", "-m", str(tiny_gguf), *SMALL, "--trace", str(file)]
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "bash", *words]
    extra = {"PYTHONDONTWRITEBYTECODE": "1", "REASONER_HISTORY": "0"}
    done = subprocess.run(
        limited, capture_output=True, env=environment(tmp_path, **extra), check=False
    )
    assert done.returncode == 1
    assert done.stdout
    assert b"was not kept: File too large" in done.stderr
    assert not [name for name in os.listdir(tmp_path) if "run.json" in name]


@pytest.mark.slow
def test_traces_go_into_plain_files_only(tiny_gguf: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "hi", "-m", tiny_gguf, "--trace", os.devnull)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    done = run(tmp_path, "trace", tmp_path / "a", "--html", tmp_path / "b", "--json")
    assert done.returncode == 2


def test_a_tree_of_told_events_reads_as_expected() -> None:
    tree = grown([*FORK, step(3, 1, "c"), node(3, 2, 2, forked=1), result(3)])
    shown = [paint(line, colour=False) for line in outline_tree(tree, None)]
    assert shown == [
        "├ ○ a · value 0.25",
        "└ ● b · value 0.75",
        "  ● c",
        "  ● answer It is 4.",
    ]
