"""Tests of classes, state, callbacks and streams: run apart from the program, judged rightly."""

import pytest

import python_sandbox
import sympy_check
from reasoner.types.problem import Problem
from reasoner.types.verdict import Submission
from tests.plugins.python_sandbox.test_code_answers import judge, needs_sandbox

pytestmark = needs_sandbox

QUEUE = """
class Empty(Exception): pass
class Queue:
    made = 0
    def __init__(self): self.items = []; Queue.made += 1
    def add(self, item): self.items.append(item); return self
    def take(self):
        if not self.items: raise Empty("nothing left")
        return self.items.pop(0)
    def __len__(self): return len(self.items)
"""
QUEUE_TESTS = """
import pytest
q = Queue()
assert len(q.add(1).add(2)) == 2
assert q.take() == 1 and q.items == [2]
q.items.append(9)
assert q.take() == 2 and q.take() == 9 and Queue.made == 1
with pytest.raises(Empty, match="nothing"):
    q.take()
assert isinstance(q, Queue) and not isinstance(q, Empty)
"""
RAISING = "def f(x):\n    if x < 0: raise ValueError('negative')\n    return x"
CAUGHT = "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass\nassert f(1) == 1"
CASES = "import unittest\nclass T(unittest.TestCase):\n    def setUp(self): self.x = 1\n"
CASES += "    def test_f(self): self.assertEqual(f(self.x), 1)\n"
CASES += "    def test_e(self):\n        with self.assertRaises(ValueError): f(-1)\nunittest.main()"
COUNTER = "n = 0\ndef tick():\n    global n\n    n += 1\n    return n"
COLOURS = "from enum import Enum\nclass C(Enum):\n    RED = 1\n    BLUE = 2\n"
NODES = "class Node:\n    def __init__(self, v, n=None): self.v, self.n = v, n\n"
REVERSE = "def rev(h):\n    p = None\n    while h: h.n, p, h = p, h, h.n\n    return p"
MAIN = "import sys\ndef main():\n    print(sum(map(int, sys.stdin.read().split())))"
PATCHED_IN = "import io, sys, contextlib\nsys.stdin = io.StringIO('1 2\\n3')\nout = io.StringIO()\n"
PATCHED_IN += "with contextlib.redirect_stdout(out): main()\nassert out.getvalue() == '6\\n'"
COLLATZ = "x, n = 27, 0\nwhile x != 1:\n    x, n = step(x), n + 1\nassert n == 111"
STEP = "def step(x): return 3 * x + 1 if x % 2 else x // 2"
TESTED = [
    (QUEUE, QUEUE_TESTS, "pass"),
    (QUEUE.replace("pop(0)", "pop()"), QUEUE_TESTS, "fail"),
    (RAISING, CAUGHT, "pass"),
    ("def f(x): return x", CAUGHT, "fail"),
    (RAISING, CASES, "pass"),
    ("def f(x): return x", CASES, "fail"),
    (COUNTER, "assert tick() == 1\nassert tick() == 2 and n == 2\nn = 7\nassert tick() == 8",
     "pass"),
    ("def f(g, x): return g(g(x))", "assert f(lambda v: v * v, 3) == 81\nassert f(abs, -1) == 1",
     "pass"),
    ("def on(hooks, h): hooks.append(h)", "got, hooks = [], []\non(hooks, got.append)\n"
     "hooks[0](3)\nassert got == [3]", "pass"),
    ("def f(m):\n    m[0].reverse()\n    m.append(1)", "m = [[1, 2]]\nrow = m[0]\nf(m)\n"
     "assert m == [[2, 1], 1] and row == [2, 1]", "pass"),
    (REVERSE, NODES + "h = rev(Node(1, Node(2)))\nassert (h.v, h.n.v, h.n.n) == (2, 1, None)",
     "pass"),
    (COLOURS + "def f(x): return C(x)", "assert f(2) == C.BLUE and f(1) is C.RED", "pass"),
    (COLOURS + "def f(x): return C.RED", "assert f(2) == C.BLUE", "fail"),
    ("from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(): return P(1, 2)",
     "assert f().x == 1 and f() == (1, 2)", "pass"),
    ("def f():\n    n = 0\n    while True:\n        yield n\n        n += 1",
     "g = f()\nassert [next(g), next(g)] == [0, 1]", "pass"),
    ("async def f(x): return 2 * x", "import asyncio\nassert asyncio.run(f(2)) == 4", "pass"),
    (MAIN, PATCHED_IN, "pass"),
    ("def f(): return int(input()) * 2", "import builtins\nbuiltins.input = lambda *_: '4'\n"
     "assert f() == 8", "pass"),
    ("import random\ndef f(): return random.random()", "from unittest.mock import patch\n"
     "with patch('random.random', return_value=7):\n    assert f() == 7\nassert f() < 1", "pass"),
    (STEP, COLLATZ, "pass"),
    ("def f(): return 1", "import pytest\n@pytest.mark.parametrize('x', [1, 2])\n"
     "def test_f(x): assert f() == x", "fail"),
    ("def f(x): return no_such_package.g(x)\nimport no_such_package", "assert f(1) == 2",
     "unknown"),
    ("def f(x):\n    import no_such_package\n    return x", "assert f(1) == 1", "unknown"),
    ("def f(p): return open(p).read()", "open('a', 'w').write('b')\nassert f('a') == 'b'",
     "unknown"),
    ("def add(a, b): return a + b", "assert add(0.1, 0.2) == 0.3", "unknown"),
    ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(): return P(1)",
     "assert f() == P(1)", "unknown"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("code", "tests", "outcome"), TESTED)
def test_tests_see_what_the_program_is_and_does(code: str, tests: str, outcome: str) -> None:
    said = judge(code, tests)
    assert said.outcome == outcome, said


def test_a_missing_package_is_named() -> None:
    assert "no_such_package" in judge(*TESTED[-5][:2]).reason


QUESTIONS = [
    ("def f(s): return s[::-1]", 'Write f.\nInput: s = "abc"\nOutput: "cba"', "pass"),
    ("def f(s): return s", 'Write f.\nInput: s = "abc"\nOutput: "cba"', "fail"),
    (
        "class Solution:\n    def f(self, n): return n % 2 == 0",
        "Input: n = 4\nOutput: true",
        "pass",
    ),
    ("def f(n):\n    for i in range(n): print(i)", "f(2) shows:\n>>> f(2)\n0\n1\n", "pass"),
    ("def f(xs): return sum(xs) / len(xs)", "f([1, 1, 3]) returns 1.67", "unknown"),
    ("def f(xs): return sum(xs) / 2", "f([1, 1, 3]) returns 1.67", "fail"),
    ("print(2 * int(input()))", "Double it.\n\nInput:\n5\n\nOutput:\n10\n", "pass"),
    ("print(3 * int(input()))", "Double it.\n\nInput:\n5\n\nOutput:\n10\n", "fail"),
    ("print(2 * int(input('n: ')))", "Double it.\n\nInput:\n5\n\nOutput:\n10\n", "unknown"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "question", "outcome"), QUESTIONS)
def test_examples_of_every_notation_decide(code: str, question: str, outcome: str) -> None:
    said = judge(code, question=question)
    assert said.outcome == outcome, said


TYPED = ">>> def f(x):\n...     return 2 * x\n>>> f(1)\n2\n"
SPACES = "\ufeffdef f(x):\n\u00a0\u00a0\u00a0\u00a0return 2 * x\n"
ENTITIES = "def f(x):\n    return x if x &lt; 3 else 2 * x\n"
BLOCKS = [
    ((SPACES,), "pass"),
    ((TYPED,), "pass"),
    ((ENTITIES,), "unknown"),
    (("Here is the code:\n\ndef f(x):\n    return 2 * x\n",), "pass"),
    (("def f(x):\n    return 2 *\n",), "fail"),
    (("def f(x): return x\nwhile True: pass", "def f(x): return 2 * x"), "pass"),
    (("def f(x): return 2 *", "def f(x): return 2 * x"), "pass"),
    (("def g(x): return x", "def f(x): return 2 * g(x)"), "pass"),
    (("def f(x): return 2 * x", "f = input()"), "pass"),
    (("# tools.py\ndef g(x): return x", "from tools import g\ndef f(x): return 2 * g(x)"), "pass"),
    (("for n in range(300_000): print(n)\ndef f(x): return 2 * x",), "pass"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "outcome"), BLOCKS)
def test_the_program_is_found_among_the_blocks(blocks: tuple[str, ...], outcome: str) -> None:
    said = python_sandbox.verify(
        problem=Problem(question="?", tests="assert f(4) == 8"),
        submission=Submission(answer="", code=blocks),
        seconds=8,
        compare_answers=sympy_check.compare,
    )
    assert said is not None
    assert said.outcome == outcome, said


@pytest.mark.parametrize("code", ["while True: pass", "x = [0] * 10**10", "print('x' * 10**7)"])
@pytest.mark.slow
def test_a_limit_of_the_sandbox_refutes_nothing(code: str) -> None:
    said = python_sandbox.verify(
        problem=Problem(question="?"),
        submission=Submission(answer="", code=(code,)),
        seconds=1,
        compare_answers=sympy_check.compare,
    )
    assert said is not None
    assert said.outcome == "unknown", said
