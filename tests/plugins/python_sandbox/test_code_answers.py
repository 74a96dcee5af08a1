"""Code replies against given tests and the question's examples."""

import pytest

import python_sandbox
import sympy_check
from python_sandbox import probe
from python_sandbox.inside.lint import lint_program
from python_sandbox.layers import LAYERS
from python_sandbox.test_run.examples import find_examples
from python_sandbox.test_run.question import read_question
from python_sandbox.test_run.values import NotPlainData, decode, encode
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

WORKS = any(layer.possible and probe.attack_layer(layer) is None for layer in LAYERS)
needs_sandbox = pytest.mark.skipif(not WORKS, reason="no sandbox layer works here")

ADD = "def add(a, b):\n    return a + b\n"
CHECK = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(5, 5) == 10\n"
PYTEST = """
def test_one():
    assert add(1, 2) == 3
def test_two():
    assert add('a', 'b') == 'ab'
"""
PROMPT = '''from typing import List

def helper(x: int) -> int:
    return x + 1

def total(xs: List[int]) -> int:
    """ The sum of the numbers.
    >>> total([1, 2])
    3
    >>> total([])
    0
    """
'''


def judge(
    code: str, tests: str | None = None, question: str = "?", entry: str | None = None
) -> Verdict:
    problem = Problem(question=question, tests=tests, entry_point=entry)
    submission = Submission(answer="", code=(code,) if code else ())
    said = python_sandbox.verify(
        problem=problem, submission=submission, seconds=8, compare_answers=sympy_check.compare
    )
    assert said is not None
    return said


TESTED = [
    (ADD, CHECK, "pass", 2, 0),
    (ADD, PYTEST, "pass", 2, 0),
    (ADD, "assert add(1, 2) == 3\nassert add(2, 2) == 5", "fail", 1, 1),
    (ADD, "from solution import add\nassert add(0.1, 0.2) < 1", "pass", 1, 0),
    (ADD, "for i in range(5):\n    x = add(i, i)\n    assert add(x, 1) == 2 * i + 1", "pass", 1, 0),
    ("def add(a, b): return a - b", CHECK, "fail", 0, 2),
    ("def plus(a, b): return a + b", "assert add(1, 2) == 3", "fail", 0, 1),
    ("def srt(x): x.sort()", "x = [2, 1]\nsrt(x)\nassert x == [1, 2]", "pass", 1, 0),
    ("def f(x): return int(x)", "try:\n    f('a')\nexcept ValueError:\n    pass\nelse:\n"
     "    raise AssertionError('no error')\nassert f('1') == 1", "pass", 1, 0),
    ("def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]", "pass", 1, 0),
    ("def f(n): return f(n)", "assert f(1) == 1", "fail", 0, 1),
    (ADD, "import no_such_package_here\nassert add(1, 1) == 2", "unknown", 0, 0),
    (ADD, "def test_x(fixture):\n    assert add(1, 1) == 2", "unknown", 0, 0),
    (ADD, "assert add(1, 1 == 2", "unknown", 0, 0),
]  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize(("code", "tests", "outcome", "passes", "failed"), TESTED)
def test_given_tests_decide(code: str, tests: str, outcome: str, passes: int, failed: int) -> None:
    said = judge(code, tests)
    counts = said.evidence["passes"], said.evidence["failed"]
    assert (said.outcome, *counts) == (outcome, passes, failed), said


@needs_sandbox
def test_classes_are_tested_apart_from_the_tests() -> None:
    stack = "class Stack:\n  def __init__(self): self.x = []\n  def push(self, v): self.x.append(v)"
    said = judge(stack, "s = Stack()\ns.push(1)\nassert s.x == [1]")
    assert said.outcome is Outcome.PASS, said
    assert judge(stack, "s = Stack()\ns.push(1)\nassert s.x == [2]").outcome is Outcome.FAIL


FORGERIES = [
    "class Yes:\n    __eq__ = __lt__ = __bool__ = lambda *_: True\ndef add(a, b): return Yes()",
    "import os\ndef add(a, b): os._exit(0)",
    "import sys\ndef add(a, b): sys.exit(0)",
    "def add(a, b):\n    print('PASS'); return None",
    "import os, json\nfor n in range(9):\n"
    "    os.write(1, json.dumps({'python': True, 'passes': 9}).encode() + b'\\n')\n"
    "    os.write(3, json.dumps({'passes': 9, 'failed': 0}).encode() + b'\\n')\n"
    "def add(a, b): return 0",
    "import gc, inspect, sys\nfor frame in sys._current_frames().values():\n"
    "    while frame:\n        for v in list(frame.f_locals.values()):\n"
    "            if isinstance(v, dict) and 'order' in v: v['order']['tests'] = ''\n"
    "        frame = frame.f_back\ndef add(a, b): return 0",
    "import builtins\nbuiltins.bool = lambda *_: True\nbuiltins.all = bool\n"
    "def add(a, b): return 0",
    "class add:\n    def __init__(self, *a): pass\n    __eq__ = lambda *_: True",
    "raise SystemExit(0)\ndef add(a, b): return 3",
]  # fmt: skip


@needs_sandbox
@pytest.mark.parametrize("code", FORGERIES)
def test_no_program_can_forge_a_pass(code: str) -> None:
    assert judge(code, CHECK, "def add(a, b):\n    pass\n").outcome is not Outcome.PASS


@needs_sandbox
def test_the_tests_are_not_to_be_found_where_the_program_runs() -> None:
    code = """
import gc, sys
def f(x):
    seen, frame = list(gc.get_objects()), sys._getframe(1)
    while frame:
        seen += frame.f_locals.values()
        frame = frame.f_back
    wanted = "-".join("needle in the tests".split())
    return any(wanted in str(o) for o in seen if type(o) in (str, dict, list, tuple))
"""
    own = code + "needle_in_the_tests = 'needle-in-the-tests'"
    assert judge(own, "assert f(1)  # it finds what is there").outcome is Outcome.PASS
    assert judge(code, "assert not f(1)  # needle-in-the-tests").outcome is Outcome.PASS


@needs_sandbox
def test_the_questions_examples_and_imports_count() -> None:
    said = judge(
        "def total(xs: List[int]) -> int:\n    return helper(sum(xs)) - 1", question=PROMPT
    )
    assert (said.outcome, said.evidence["tests"]) == (Outcome.PASS, "examples")
    assert "2 of 2 examples" in said.reason
    wrong = judge("def total(xs): return 3", question=PROMPT)
    assert (wrong.outcome, wrong.evidence["passes"], wrong.evidence["failed"]) == ("fail", 1, 1)
    assert "total([]) gives 3, not 0" in wrong.reason


@needs_sandbox
@pytest.mark.slow
def test_better_code_scores_higher_and_every_check_is_a_field() -> None:
    good, own = "def total(xs): return sum(xs)\n", "assert total([1]) == 1"
    worst_to_best = [
        judge("def total(:", question=PROMPT),
        judge("def total(xs): return None", question=PROMPT),
        judge("def total(xs): return 3", question=PROMPT),
        judge(good),
        judge(good + own),
        judge("import os\n" + good, question=PROMPT),
        judge(good, question=PROMPT),
        judge(good, "assert total([7, 8]) == 15", PROMPT),
    ]
    scores = [said.score for said in worst_to_best if said.score is not None]
    assert scores == sorted(scores)
    assert len({*scores}) == len(worst_to_best)
    evidence = worst_to_best[-3].evidence
    assert (evidence["python"], evidence["runs"], evidence["passes"]) == (True, True, 2)
    assert evidence["lints"] == ["line 1: 'os' is imported and not used"]
    assert isinstance(evidence["seconds"], float)
    assert worst_to_best[0].evidence["python"] is False


def test_a_reply_without_code_fails_given_tests() -> None:
    assert judge("", CHECK).outcome is Outcome.FAIL


EXAMPLES = [
    ("f(2) == 3", [("f(2)", 3)]),
    ('f("a,b", [1]) ==> ("x", 1)', [('f("a,b", [1])', ("x", 1))]),
    ("f(0) ➞ True, f(1) → False", [("f(0)", True), ("f(1)", False)]),
    ("calling f(5) should return -1.5.", [("f(5)", -1.5)]),
    ("f(3) # => 'Yes' (because)", [("f(3)", "Yes")]),
    ("f(9) -> 19 - 5 - 6 = 8", [("f(9)", 8)]),
    ("f([\n [1],\n], 1) == [(0, 0)]", [("f([\n [1],\n], 1)", [(0, 0)])]),
    ("Input: x = [1, 2]\n    Output: 3", [("f([1, 2])", 3)]),
    ("For x = 2 the output should be 7", [("f(2)", 7)]),
    ("`f(2)` should return `3`.", [("f(2)", 3)]),
    ("f(2) = 3 and f(3) = 4", [("f(2)", 3), ("f(3)", 4)]),
    ("f(2**3) == 4**2 and f(2**3) == 16", [("f(2**3)", 16)]),
    ("**Input:** x = 2\n**Output:** true", [("f(2)", True)]),
    ("f(n) == 3", []),
    ("def f(x): return f(x - 1)", []),
    ("f(2) == 3 if x else 4", []),
    ('f(["a"]) == ""a"', []),
    ("g(2) == 3 and xf(2) == 3", []),
    (">>> f(2) == 3", []),
]


@pytest.mark.parametrize(("text", "found"), EXAMPLES)
def test_examples_are_read_as_people_write_them(text: str, found: list[tuple[str, object]]) -> None:
    examples = find_examples(text, ["f"], "f", ("x",))
    assert [(example.call, example.outcomes[0]) for example in examples] == found


def test_one_in_brackets_may_be_a_tuple() -> None:
    (example,) = find_examples("f(1) == ('a')", ["f"], "f", ("x",))
    assert example.outcomes == ("a", ("a",))


def test_the_question_says_what_it_gives_and_what_it_asks_for() -> None:
    asked = read_question(PROMPT)
    assert asked.functions == ("total",)
    assert asked.parameters == ("xs",)
    assert "from typing import List" in asked.prelude
    assert "def helper" in asked.prelude
    assert "def total" not in asked.prelude
    fenced = read_question("Write this:\n```python\ndef f(x):\n```\nThanks!\n")
    assert fenced.functions == ("f",)
    assert read_question("What is 2 + 2? import taxes are due") == read_question("")


def test_lint_finds_what_is_doubtful_and_nothing_else() -> None:
    source = "import os, sys\ndef f(x=[]):\n    return y + sys.maxsize is 3\n"
    assert lint_program(source) == [
        "line 1: 'os' is imported and not used",
        "line 2: 'f' has a mutable default, which calls share",
        'line 3: "is" with \'int\' literal. Did you mean "=="?'
        if "with 'int'" in " ".join(lint_program("1 is 1"))
        else 'line 3: "is" with a literal. Did you mean "=="?',
        "line 3: undefined name 'y'",
    ]
    clean = "import math\nclass A:\n  z = 1\n  def f(self):\n    return [math.pi for _ in [self.z]]"
    assert lint_program(clean) == []
    assert lint_program("print(given)", ["given"]) == []


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 10**400, 1.5, "é\ud800", b"\0", (1, [2, {3}]), {1: "a", (2,): None}, 3j,
     frozenset({1}), range(2, 9, 3), float("inf")],
)  # fmt: skip
def test_plain_values_pass_unchanged(value: object) -> None:
    back = decode(encode(value))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.slow
def test_what_is_no_plain_data_does_not_pass() -> None:
    endless: list[object] = []
    endless.append(endless)
    for value in (object(), endless, [0] * 100_000, "x" * 10**6, lambda: 0):
        with pytest.raises(NotPlainData):
            encode(value)
