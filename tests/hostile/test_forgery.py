"""Programs that want a verdict they have not earned, and programs that attack each other."""

import threading

import pytest

import python_sandbox
import sympy_check
from python_sandbox import probe
from python_sandbox.execution import MAX_MEMORY_BYTES, ProgramRun, run_in_layer
from python_sandbox.layers import UNCONFINED, Layer
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict
from tests.hostile.test_attacks import WORKING

pytestmark = pytest.mark.skipif(
    probe.choose_layer().layer is None, reason="no sandbox layer works here"
)

TESTS = "assert double(2) == 4\nassert double(21) == 42\n"
HONEST = "def double(x):\n    return x * 2\n"
WRONG = "def double(x):\n    return 5\n"
EQUAL = """
class Equal(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
"""
FORGERIES = {
    "leaves before the tests": WRONG + "import os\nos._exit(0)",
    "leaves politely": WRONG + "raise SystemExit(0)",
    "leaves in the call": "def double(x):\n    import os\n    os._exit(0)",
    "prints what a pass looks like": WRONG
    + "print('PASS'); print('2 passed in 0.01s'); print('ok')",
    "equals everything": EQUAL + "def double(x):\n    return Equal(5)",
    "makes every number equal": EQUAL + WRONG + "import builtins\nbuiltins.int = Equal",
    "swallows the failures": WRONG
    + "import builtins\nclass Never(Exception): pass\nbuiltins.AssertionError = Never",
    "counts assertions of its own": WRONG + "for _ in range(9): __assertion_held__()",
    "reports for the child": WRONG
    + "import os\nfor n in range(3, 64):\n"
    + '    try: os.write(n, b\'{"stage": "ran", "asserts": 9}\')\n    except OSError: pass\n'
    + "os._exit(0)",
    "walks the frames": """
import sys
def double(x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, (str, list, dict)) and ("4" in str(value)[:5000]):
                frame.f_globals["expected"] = value
        frame = frame.f_back
    return 5""",
    "reads what it is asked": """
import gc, sys
def double(x):
    for thing in gc.get_objects():
        if isinstance(thing, dict) and 4 in thing.values(): return 4
    return 5""",
    "replaces the machinery": WRONG
    + 'import json, sys\njson.dumps = lambda *a, **k: \'{"stage": "ran"}\'\n'
    + "sys.modules['ast'] = sys.modules['json']\nsys.exit = exit = lambda *a: None",
    "redefines assert by trace": WRONG
    + "import sys\ndef skip(frame, event, arg):\n    return skip\nsys.settrace(skip)",
    "waits for the end": WRONG + "import atexit, os\natexit.register(os._exit, 0)",
    "ends the other thread": WRONG
    + "import os, threading\nthreading.Timer(0.0, os._exit, (0,)).start()\n",
}

ALL_EQUAL = """
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __sub__ = __rsub__ = __add__ = lambda self, other: self
    def __abs__(self): return 0
    def __bool__(self): return False
    def __hash__(self): return hash(4)
    def __iter__(self): return iter([self])
    def __float__(self): return 0.0
"""
DOUBLE = "def double(x): return Yes()"
OBJECT_FORGERIES = {
    "a class that makes them": (
        ALL_EQUAL + "class double:\n    def __new__(cls, x): return Yes()",
        TESTS,
    ),
    "an object that is called": (
        EQUAL + "class A:\n    def __call__(self, x): return Equal()\ndouble = A()",
        TESTS,
    ),
    "a difference of nothing": (ALL_EQUAL + DOUBLE, "assert abs(double(2) - 4) < 1e-9"),
    "a difference that is false": (ALL_EQUAL + DOUBLE, "assert not (double(2) - 4)"),
    "a member of anything": (ALL_EQUAL + DOUBLE, "assert double(2) in (4, 5)"),
    "a container of everything": (ALL_EQUAL + DOUBLE, "assert 4 in double(2)"),
    "in a list": (ALL_EQUAL + "def double(x): return [Yes()]", "assert double(2) == [4]"),
    "in a set": (ALL_EQUAL + DOUBLE, "assert {double(2)} == {4}"),
    "by order": (ALL_EQUAL + DOUBLE, "assert double(2) >= 4\nassert double(2) <= 4"),
    "a class equal to everything": (
        "class M(type):\n    def __eq__(cls, o): return True\n    __hash__ = type.__hash__\n"
        "class double(metaclass=M):\n    def __new__(cls, x): return cls",
        TESTS,
    ),
    "one object for all": (
        "class V:\n    one = None\n    def __new__(cls, *a):\n"
        "        cls.one = cls.one or object.__new__(cls)\n        return cls.one\n"
        "    def __add__(self, o): return self",
        "assert V(1) + V(2) == V(3)",
    ),
    "through the function it gets": (
        "def f(g):\n    g.__globals__['__held__'] = print\n    return 0",
        "assert f(lambda: 1) == 1",
    ),
    "through the mock it gets": (
        "def f(m):\n    m.assert_called_once_with = lambda *a: None",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nm.assert_called_once_with(3)",
    ),
    "through the instance it gets": (
        "def f(c):\n    c.__class__.__eq__ = lambda *a: True\n    return c",
        "class C:\n    def __eq__(self, o): return o == 4\nassert f(C()) == 5",
    ),
    "an end before the rest": (
        "import sys\ndef f(x):\n    if x > 1: sys.exit(0)\n    return 2",
        "assert f(1) == 2\nx = f(2)\nassert x == 4",
    ),
    "an end within a check": (
        "import sys\ndef f(x):\n    if x > 1: sys.exit(0)\n    return 2",
        "assert f(1) == 2\nassert f(2) == 4",
    ),
    "words on the wire": (
        "import os\ndef f(x):\n    for n in range(3, 64):\n"
        '        try: os.write(n, b\'\\0\\0\\0\\x12{"value":[null,""]}\')\n'
        "        except OSError: pass\n    return 0",
        "assert f(2) == 4\nassert f(3) == 6",
    ),
}


def judged(code: str, tests: str = TESTS) -> Verdict:
    problem = Problem(question="Write double(x).", tests=tests)
    submission = Submission(answer="", code=(code,))
    said = python_sandbox.verify(
        problem=problem, submission=submission, seconds=8, compare_answers=sympy_check.compare
    )
    assert said is not None
    return said


def naive(run: ProgramRun) -> bool:
    """What a checker that believes its subject goes by: its words, its report and its exit."""
    return run.outcome == "ok" or run.exit_code == 0 or "pass" in run.stdout.lower()


def test_the_honest_program_passes() -> None:
    said = judged(HONEST)
    assert said.outcome is Outcome.PASS, said


def test_the_wrong_program_fails() -> None:
    assert judged(WRONG).outcome is Outcome.FAIL


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_verdict_is_no_pass(name: str) -> None:
    said = judged(FORGERIES[name])
    assert said.outcome is not Outcome.PASS, said


@pytest.mark.parametrize("name", OBJECT_FORGERIES)
def test_no_object_passes_by_its_own_word(name: str) -> None:
    said = judged(*OBJECT_FORGERIES[name])
    assert said.outcome is not Outcome.PASS, said


@pytest.mark.parametrize("name", [name for name in FORGERIES if "call" not in name])
def test_a_checker_that_believes_would_be_fooled(name: str) -> None:
    layer = probe.choose_layer().layer
    assert layer is not None
    code = FORGERIES[name]
    assert naive(run_in_layer(layer, code, stdin="", seconds=10, memory=MAX_MEMORY_BYTES))


KEEPER = """
import os, time
open("secret", "w").write("mine")
for _ in range(30):
    time.sleep(0.05)
    if os.listdir() != ["secret"] or open("secret").read() != "mine": print("TOUCHED", os.listdir())
"""
ROBBER = """
import os, glob, time
above = os.path.dirname(os.getcwd())
end = time.monotonic() + 1
while time.monotonic() < end:
    time.sleep(0.02)
    for attempt in (
        lambda: [print("GOT", open(path).read()) for path in glob.glob(above + "/*/secret")],
        lambda: [print("GOT", name) for name in os.listdir(above) if name not in os.getcwd()],
        lambda: [open(path, "w") for path in glob.glob(above + "/*/secret")],
    ):
        try: attempt()
        except OSError: pass
"""


def together(layer: Layer) -> tuple[ProgramRun, ProgramRun]:
    """A program that keeps a secret in its directory, and one that is after it."""
    runs: dict[str, ProgramRun] = {}

    def go(code: str) -> None:
        runs[code] = run_in_layer(layer, code, stdin="", seconds=20, memory=MAX_MEMORY_BYTES)

    threads = [threading.Thread(target=go, args=(code,)) for code in (KEEPER, ROBBER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runs[KEEPER], runs[ROBBER]


@pytest.mark.parametrize("layer", WORKING, ids=lambda layer: layer.name)
def test_two_runs_do_not_meet(layer: Layer) -> None:
    keeper, robber = together(layer)
    assert (keeper.outcome, keeper.stdout) == ("ok", "")
    assert (robber.outcome, robber.stdout) == ("ok", "")


def test_without_a_sandbox_they_would() -> None:
    keeper, robber = together(UNCONFINED)
    assert "TOUCHED" in keeper.stdout
    assert "GOT mine" in robber.stdout
