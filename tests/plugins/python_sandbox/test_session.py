"""Blocks of one path: replayed state, what the model gets to read, and what it does not."""

import time

import pytest

import python_sandbox
import sympy_check
from python_sandbox import probe
from python_sandbox.session import MAX_OUTPUT_CHARACTERS, BlockResult, run_block
from reasoner.types.problem import Problem
from reasoner.types.tool_call import ToolCall
from reasoner.types.verdict import Outcome, Submission

pytestmark = pytest.mark.skipif(
    probe.choose_layer().layer is None, reason="no sandbox layer works here"
)

DRAWS = """
import random, secrets, uuid
import numpy
drawn = [random.random(), random.Random().random(), secrets.token_hex(4), uuid.uuid4().hex]
drawn += [float(numpy.random.rand()), float(numpy.random.default_rng().random())]
"""


def run(code: str, *earlier: str, seconds: float = 30) -> BlockResult:
    return run_block(earlier, code, seconds)


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("1 + 1", "2"),
        ("x = 3", ""),
        ("print('a')\n'b'", "a\n'b'"),
        ("None", ""),
        ("print('a')\nx = 1\n\ny", "a\nNameError: name 'y' is not defined (line 4)"),
        ("def f(:\n  pass", "SyntaxError: invalid syntax (line 1)"),
        ("assert 1 == 2", "AssertionError (line 1)"),
        ("raise SystemExit(0)", ""),
        ("print('\\x1b]52;c;aGk=\\x07red')", "]52;c;aGk=red"),
        ("input()", "EOFError: EOF when reading a line (line 1)"),
    ],
)
def test_a_block_shows_what_a_notebook_shows(code: str, output: str) -> None:
    block = run(code)
    assert block.output == output
    assert block.ok == ("Error" not in output)
    assert block.kept
    assert block.layer
    assert block.refused is None


def test_state_is_replayed_unheard_and_forks() -> None:
    earlier = (
        "x = [3]\nprint('loud')",
        "x.append(4)\n1 / 0\nx.append(5)",
        "import os; os.write(1, b'raw')",
    )
    assert run("x", *earlier).output == "[3, 4]"
    assert run("x.append(9); x", *earlier).output == "[3, 4, 9]"
    assert run("x", *earlier).output == "[3, 4]"


def test_an_error_in_an_earlier_function_is_placed_in_this_block() -> None:
    block = run("\nbroken()", "def broken():\n  x = 1\n  return 1 / 0")
    assert block.output == "ZeroDivisionError: division by zero (line 2)"


def test_files_written_by_earlier_blocks_are_there() -> None:
    assert run("open('note').read()", "open('note', 'w').write('kept')").output == "'kept'"


def test_chance_repeats_in_replay() -> None:
    first, second = (run("drawn", DRAWS).output for _ in range(2))
    assert first == second
    assert len(set(first.strip("[]").split(", "))) == 6
    assert run("drawn", DRAWS + DRAWS).output != first


def test_long_output_keeps_head_and_tail() -> None:
    block = run("print('HEAD' + 'x' * 50_000 + 'TAIL')\n1 / 0")
    assert len(block.output) <= MAX_OUTPUT_CHARACTERS
    assert block.output.startswith("HEAD")
    assert "TAIL\nZeroDivisionError" in block.output
    assert "characters left out" in block.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('so far', flush=True)\nwhile True: pass", "so far\nstopped: the block ran longer"),
        ("import os; os._exit(0)", "stopped: the block ended the interpreter"),
        ("x = [0] * 10**10", "MemoryError"),
        ("while True: print('x' * 10**6)", "stopped: the block printed too much"),
    ],
)
def test_what_goes_over_a_limit_is_stopped_and_not_kept(code: str, said: str) -> None:
    began = time.monotonic()
    block = run(code, seconds=3)
    assert said in block.output
    assert len(block.output) <= MAX_OUTPUT_CHARACTERS
    assert not block.ok
    assert not block.kept
    assert time.monotonic() - began < 30  # ten times the limit


def test_installed_packages_are_there() -> None:
    code = (
        "import numpy, sympy\nx = sympy.Symbol('x')\nint(numpy.arange(4).sum()), sympy.solve(x - 2)"
    )
    assert run(code).output == "(6, [2])"


def test_a_block_is_as_confined_as_a_program() -> None:
    block = run("open('/etc/passwd').read()")
    assert "Error" in block.output
    assert "root:" not in block.output


def test_too_much_code_is_refused() -> None:
    block = run("1", "x = 1\n" * 20_000)
    assert block.refused
    assert block.output == block.refused
    assert not block.ok


def test_without_a_layer_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_choice", [probe.LayerChoice(None, "no sandbox is strong enough")])
    block = run("print(1)")
    assert block.refused == "no sandbox is strong enough; --unsafe-exec runs it without one"
    assert block.layer is None


@pytest.mark.parametrize(
    ("final", "output", "passes"),
    [
        ("639", "639", True),
        ("639.0", "sum: 639", True),
        ("640", "639", False),
        (None, "639", False),
    ],
)
def test_what_a_tool_printed_backs_the_answer(final: str | None, output: str, passes: bool) -> None:
    call = ToolCall(
        tool="python", text="print(sum(p))", output=output, ok=True, kept=True, seconds=0.1
    )
    said = Submission(answer="So it is that.", final=final, calls=(call,))
    verdict = python_sandbox.verify(
        Problem(question="?"), said, 10, compare_answers=sympy_check.compare
    )
    assert (verdict is not None and verdict.outcome is Outcome.PASS) == passes
    literal = said.model_copy(update={"calls": (call.model_copy(update={"text": "print(639)"}),)})
    assert (
        python_sandbox.verify(
            Problem(question="?"), literal, 10, compare_answers=sympy_check.compare
        )
        is None
    )
