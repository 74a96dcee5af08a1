import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import sympy_check
from reasoner.types.problem import Problem
from reasoner.types.verdict import Outcome, Submission, Verdict

GRACE = 5.0
"""Seconds that killing and reaping a worker may take on a busy machine."""
BOMBS = [
    "9**9**9**9",
    "factorial(10**7)",
    "(10^7)!",
    r"\frac{" * 150 + "1" + "}{2}" * 150,
    "9" * 1_000_000,
    "1e999999999",
    r"2^{2^{2^{2^{2^{2}}}}}",
    r"\sqrt{" * 250 + "2" + "}" * 250,
    "(x+y+z)^{300}",
    r"\binom{10^9}{10^8}",
    r"\begin{pmatrix}" + "1 & " * 300 + "1",
    r"\frac{" * 5000 + "1" + "}{2}" * 5000,
    r"\sqrt{" * 5000,
    "(" * 5000 + "x" + ")" * 5000,
    "x^{" * 300 + "2" + "}" * 300,
    r"10^{10^{10}}",
    r"2^{999999999}",
    r"x^{99999999}",
    r"\sum_{k=1}^{10^{12}} k^k",
    r"\prod_{k=1}^{10^{9}} k",
    r"\int_0^1 x^{x^{x^x}} dx",
    "fibonacci(10^9)",
    "(99999999)!",
    r"\log_{2}(2^{10^{9}})",
    r"\lfloor e^{e^{20}} \rfloor",
]


@pytest.fixture(autouse=True)
def _workers_end() -> Iterator[None]:
    yield
    sympy_check.close()


def check(*steps: str, final: str | None = None, expect: str | None = None) -> Verdict:
    submission = Submission(steps=steps, answer=final or "", final=final)
    problem = Problem(question="?", expect=expect)
    verdict = sympy_check.verify(problem=problem, submission=submission, seconds=5)
    assert verdict is not None
    return verdict


def test_confirmed_arithmetic_that_gives_the_answer_passes() -> None:
    verdict = check("3 * 18 = 54 and 54 + 1 = 55", final="$55")
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason == "2 of 2 equations hold; 54 + 1 = 55 gives the answer"


def test_a_wrong_equation_fails_with_the_right_value() -> None:
    verdict = check("3 * 18 = 54", "54 + 1 = 56", final="56")
    assert verdict.outcome is Outcome.FAIL
    assert "54 + 1 = 56 (it is 55)" in verdict.reason
    assert "equations" in verdict.evidence


def test_arithmetic_that_does_not_give_the_answer_decides_nothing() -> None:
    assert check("3 * 18 = 54", final="50").outcome is Outcome.UNKNOWN
    assert check("no sums at all", final="50").reason == "no equations to check"


def test_code_is_not_read_as_arithmetic() -> None:
    assert check("```python\nx = 3 * 4 == 13\n3 * 4 = 13\n```").outcome is Outcome.UNKNOWN


def test_the_expected_answer_decides() -> None:
    assert check(final="1/2", expect=r"\frac{2}{4}").outcome is Outcome.PASS
    assert check(final="1/3", expect=r"\frac{2}{4}").outcome is Outcome.FAIL
    assert check(final=None, expect="4").outcome is Outcome.UNKNOWN


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:12])
def test_bombs_cost_at_most_the_limit_and_equal_nothing(bomb: str) -> None:
    began = time.monotonic()
    outcome, _ = sympy_check.compare(r"\sqrt{x+1}", bomb, seconds=1)
    assert outcome is not Outcome.PASS
    assert time.monotonic() - began < 10 + GRACE  # ten times the limit


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:12])
def test_bombs_in_steps_cost_at_most_the_limit_and_refute_nothing(bomb: str) -> None:
    text = f"Solve for $x$: {bomb} = {bomb} = 5 so x = {bomb}"
    began = time.monotonic()
    submission = Submission(steps=(text,), answer=bomb, final=bomb)
    verdict = sympy_check.verify(Problem(question=text), submission, 1)
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.UNKNOWN
    assert time.monotonic() - began < 10 + GRACE  # ten times the limit


def test_no_text_is_ever_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", "1")
    attacks = [
        f"__import__('os').system('touch {canary}')",
        f"__import__('pathlib').Path('{canary}').touch()",
        f"().__class__.__base__.__subclasses__() or open('{canary}', 'w')",
        f"$__import__('os').system('touch {canary}')$",
        rf"\text{{__import__('os').system('touch {canary}')}}",
        f"lambda: open('{canary}','w')",
        f"{{open('{canary}','w')}}",
        f"exec(\"open('{canary}','w')\") = 3 * 4",
    ]
    wide = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x61, 0x7B)})
    for attack in [*attacks, *(attack.translate(wide) for attack in attacks)]:
        for expect in ("4", attack, None):
            check(f"{attack} = 4", final=attack + " ", expect=expect)
    assert not canary.exists()


@pytest.mark.slow
def test_a_killed_worker_is_replaced() -> None:
    assert check(final="1/2", expect="0.5").outcome is Outcome.PASS
    for pid in sympy_check._workers.pids():
        os.kill(pid, signal.SIGKILL)
    assert check(final="1/2", expect="0.5").outcome is Outcome.PASS


@pytest.mark.slow
def test_a_late_worker_is_killed_and_the_next_check_works() -> None:
    before = set(sympy_check._workers.pids())
    assert sympy_check.compare(r"\sqrt{x+1}", "(10^7)!", seconds=1)[0] is Outcome.UNKNOWN
    assert sympy_check.compare(r"\sqrt{8}", r"2\sqrt{2}", seconds=10)[0] is Outcome.PASS
    assert set(sympy_check._workers.pids()) != before


@pytest.mark.slow
def test_closing_leaves_no_process_behind() -> None:
    check(final="1/2", expect="0.5")
    pids = sympy_check._workers.pids()
    sympy_check.close()
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_health_names_the_confinement() -> None:
    assert sympy_check.health()["ok"] is True
