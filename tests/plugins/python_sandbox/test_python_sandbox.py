import os
import socket
import sys
import time
from pathlib import Path

import pytest

import python_sandbox
import sympy_check
from python_sandbox import probe
from python_sandbox.execution import MAX_MEMORY_BYTES, ProgramRun, run_in_layer
from python_sandbox.jail import await_endings
from python_sandbox.layers import LAYERS, Layer
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

WORKING = [layer for layer in LAYERS if layer.possible and probe.attack_layer(layer) is None]


@pytest.fixture(params=WORKING, ids=lambda layer: layer.name)
def layer(request: pytest.FixtureRequest) -> Layer:
    assert isinstance(request.param, Layer)
    return request.param


def run(
    layer: Layer, code: str, seconds: float = 30, stdin: str = "", memory: int = MAX_MEMORY_BYTES
) -> ProgramRun:
    return run_in_layer(layer, code, stdin=stdin, seconds=seconds, memory=memory)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a layer everywhere")
def test_some_layer_works_here() -> None:
    assert WORKING


def test_runs_a_program_and_captures_what_it_prints(layer: Layer) -> None:
    done = run(layer, "import sys, math\nprint(math.comb(5, 2), input())", stdin="hello\n")
    assert (done.outcome, done.stdout, done.exit_code) == ("ok", "10 hello\n", 0)
    assert done.layer == layer.name


@pytest.mark.slow
def test_installed_packages_threads_and_event_loops_work(layer: Layer) -> None:
    code = """
import asyncio, threading, tempfile, sqlite3
import numpy
asyncio.run(asyncio.sleep(0))
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
with tempfile.NamedTemporaryFile("w") as file: file.write("x")
print(numpy.arange(4).sum())
"""
    done = run(layer, code)
    assert done.stdout.split() == ["thread", "6"], done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "outcome", "said"),
    [
        ("1/0", "error", "ZeroDivisionError"),
        ("x = (", "syntax", "SyntaxError"),
        ("def f(): f()\nf()", "error", "RecursionError"),
        ("import os; os._exit(0)", "exit", None),
        ("import ctypes; ctypes.string_at(0)", "signal", None),
        ("x = [0] * 10**10", "memory", "MemoryError"),
        ("raise SystemExit(3)", "error", "SystemExit"),
    ],
)
def test_failures_are_told_apart(layer: Layer, code: str, outcome: str, said: str | None) -> None:
    done = run(layer, code)
    assert done.outcome == outcome
    assert said is None or said in (done.error or "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal\nfor n in range(1, 30):\n  try: signal.signal(n, signal.SIG_IGN)\n"
        "  except Exception: pass\nwhile True: pass",
        "import time; time.sleep(60)",
        "9**9**9",
    ],
)
def test_endless_programs_are_killed_in_time(layer: Layer, code: str) -> None:
    began = time.monotonic()
    assert run(layer, code, seconds=0.7).outcome in ("timeout", "memory")
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_memory_output_and_disk_are_bounded(layer: Layer) -> None:
    hungry = run(layer, "x = []\nwhile True: x.append(bytearray(20_000_000))", memory=1 << 28)
    assert hungry.outcome == "memory"
    loud = run(layer, "for _ in range(200): print('x' * 1_000_000)")
    assert loud.outcome == "output"
    assert len(loud.stdout) < 200_000
    code = "for i in range(10**6): open(str(i), 'wb').write(bytes(10**7))"
    assert run(layer, code).outcome == "disk"


def test_nothing_outside_can_be_read_or_written(layer: Layer, tmp_path: Path) -> None:
    key = tmp_path / ".ssh" / "id_rsa"
    key.parent.mkdir()
    key.write_text("PRIVATE KEY")
    outside = tmp_path / "planted"
    code = f"""
import os, glob
def attempt(work):
    try: print("GOT", work())
    except BaseException as error: print("denied", type(error).__name__)
attempt(lambda: open({str(key)!r}).read())
attempt(lambda: open("/etc/passwd").read())
attempt(lambda: open(f"/proc/{{os.getppid()}}/environ").read())
attempt(lambda: open(os.path.join("/proc/1", "root", "etc/passwd")).read())
attempt(lambda: os.listdir(os.path.expanduser("~root")))
attempt(lambda: open({str(outside)!r}, "w"))
attempt(lambda: open("/tmp/reasoner-planted", "w"))
attempt(lambda: os.symlink({str(key)!r}, "link") or open("link").read())
attempt(lambda: os.link({str(key)!r}, "hard") or open("hard").read())
attempt(lambda: os.chmod({str(key)!r}, 0o777))
attempt(lambda: os.rename({str(key)!r}, "mine") or open("mine").read())
"""
    done = run(layer, code)
    assert "GOT" not in done.stdout, done.stdout
    assert done.stdout.count("denied") == 11
    assert not outside.exists()
    assert key.read_text() == "PRIVATE KEY"


def test_the_environment_is_clean(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    done = run(layer, "import os; print(dict(os.environ))")
    assert done.outcome == "ok"
    assert "hunter2" not in done.stdout


def test_nothing_reaches_the_network(layer: Layer) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        udp.bind(("127.0.0.1", 0))
        ports = [server.getsockname()[1] for server in (tcp, udp)]
        code = f"""
import socket
for kind, port in zip((socket.SOCK_STREAM, socket.SOCK_DGRAM), {ports}):
    try:
        s = socket.socket(socket.AF_INET, kind)
        s.connect(("127.0.0.1", port)); s.send(b"x")
    except OSError: pass
"""
        run(layer, code)
        for server in (tcp, udp):
            server.settimeout(0.05)
            with pytest.raises(OSError):  # noqa: PT011  nothing arrived
                _ = server.accept() if server is tcp else server.recv(1)


@pytest.mark.slow
def test_no_process_is_started_and_none_is_left(layer: Layer) -> None:
    code = """
import os, subprocess, signal
def attempt(work):
    try: work(); print("GOT")
    except BaseException: print("denied")
for _ in range(3): attempt(os.fork)
attempt(lambda: subprocess.run(["sleep", "33"]))
attempt(lambda: os.execv("/bin/sh", ["sh", "-c", "echo GOT"]))
attempt(lambda: os.kill(os.getppid(), signal.SIGKILL))
attempt(lambda: os.setsid() and os.fork())
attempt(lambda: os.memfd_create("x"))
print(os.getcwd())
"""
    done = run(layer, code)
    *attempts, done_in = done.stdout.split()
    assert attempts == ["denied"] * 8, done.stdout
    if sys.platform == "linux":
        told = [Path(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit()]
        lines = [path.read_bytes() for path in told if path.exists()]
        assert not any(
            b"python_sandbox.inside" in line and done_in.encode() in line for line in lines
        )


def test_control_characters_do_not_come_out(layer: Layer) -> None:
    done = run(layer, "print('\\x1b]52;c;aGk=\\x07\\x1b[31mred')")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_the_working_directory_is_thrown_away(layer: Layer) -> None:
    done = run(layer, "import os; open('x', 'w').write('y'); print(os.getcwd())")
    assert done.outcome == "ok"
    await_endings()
    assert not os.path.exists(done.stdout.strip())


def verdict(code: str, final: str | None = None, expect: str | None = None) -> Verdict:
    submission = Submission(answer="", final=final, code=(code,))
    problem = Problem(question="?", expect=expect)
    said = python_sandbox.verify(
        problem=problem, submission=submission, seconds=8, compare_answers=sympy_check.compare
    )
    assert said is not None
    return said


DOUBLE = "def double(x):\n    return x * 2\n"
TESTED = [
    (DOUBLE + "assert double(2) == 4", None, None, "pass"),
    (DOUBLE + "assert double(2) == 5", None, None, "fail"),
    (DOUBLE + "if False: assert double(2) == 4", None, None, "unknown"),
    (DOUBLE + "assert True", None, None, "unknown"),
    (DOUBLE, None, None, "unknown"),
    ('def f(x):\n    """\n    >>> f(2)\n    4\n    """\n    return x * 2', None, None, "pass"),
    ('def f(x):\n    """\n    >>> f(2)\n    5\n    """\n    return x * 2', None, None, "fail"),
    ('def f(x):\n    """\n    >>> f(2) == 4\n    """\n    return x * 2', None, None, "pass"),
    ('def f(x):\n    """\n    >>> f(2) == 5\n    """\n    return x * 2', None, None, "fail"),
    ("print(2 * 9)", "18", None, "pass"),
    ("print('Total:', 2 * 9)", "$18", None, "pass"),
    ("print(18)", "18", None, "unknown"),
    ("print(2 * 9)", "19", None, "unknown"),
    ("print(2 * 9)", None, "18", "pass"),
    ("print(2 * 9)", None, "19", "fail"),
    ("print(2 * 9)", "19", "19", "unknown"),
    ("print(input())", None, None, "unknown"),
    ("import no_such_package_here", None, None, "unknown"),
    ("print(1/0)", None, None, "fail"),
    ("def f(:", None, None, "fail"),
    ("print('PASS'); import os; os._exit(0)", None, None, "fail"),
]


@pytest.mark.skipif(not WORKING, reason="no sandbox layer works here")
@pytest.mark.parametrize(("code", "final", "expect", "outcome"), TESTED)
def test_verdicts(code: str, final: str | None, expect: str | None, outcome: str) -> None:
    said = verdict(code, final, expect)
    assert said.outcome == outcome, said
    assert said.evidence["layer"]


@pytest.mark.skipif(not WORKING, reason="no sandbox layer works here")
def test_blocks_run_together_and_transcripts_are_tests() -> None:
    blocks = (DOUBLE, ">>> double(3)\n6\n")
    said = python_sandbox.verify(
        problem=Problem(question="?"),
        submission=Submission(answer="", code=blocks),
        seconds=5,
        compare_answers=sympy_check.compare,
    )
    assert said is not None
    assert said.outcome is Outcome.PASS


def test_without_code_there_is_nothing_to_say() -> None:
    submission = Submission(answer="4")
    assert (
        python_sandbox.verify(
            problem=Problem(question="?"),
            submission=submission,
            seconds=1,
            compare_answers=sympy_check.compare,
        )
        is None
    )


def test_without_a_strong_layer_code_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "LAYERS", ())
    monkeypatch.setattr(probe, "_choice", [])
    said = verdict("print(1)")
    assert said.outcome is Outcome.UNKNOWN
    assert "no sandbox is strong enough" in said.reason
    assert "--unsafe-exec" in said.reason
    assert python_sandbox.health()["ok"] is False
    python_sandbox.set_permissions(unsafe_exec=True)
    try:
        said = verdict(DOUBLE + "assert double(2) == 4")
        assert said.outcome is Outcome.PASS
        assert said.reason.startswith("RUN WITHOUT A SANDBOX")
        assert said.evidence["layer"] == "no sandbox"
        health = python_sandbox.health()
    finally:
        python_sandbox.set_permissions(unsafe_exec=False)
    assert health["ok"] is False
    assert health["gaps"] == ["files", "network", "processes"]
    assert verdict("print(1)").outcome is Outcome.UNKNOWN
