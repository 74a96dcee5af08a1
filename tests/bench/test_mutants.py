"""The bench of mutants, on a few of them."""

import random

import pytest

from bench.humaneval import HumanEvalProblem
from bench.mutants import count_verdicts, mutants
from python_sandbox import probe

TASK = HumanEvalProblem(
    task_id="clamp",
    prompt='def clamp(x, low, high):\n    """ Return x within the bounds. """\n',
    entry_point="clamp",
    canonical_solution="    if x < low:\n        return low\n    return high if x > high else x\n",
    test="def check(candidate):\n    assert candidate(5, 0, 3) == 3\n"
    "    assert candidate(-1, 0, 3) == 0\n    assert candidate(2, 0, 3) == 2\n",
)
SOURCE = TASK.prompt + TASK.canonical_solution


def test_every_mutant_differs_from_its_program() -> None:
    stream = mutants(SOURCE, "clamp", random.Random(0))
    sources = [next(stream) for _ in range(30)]
    assert SOURCE not in sources
    assert len({*sources}) > 5


@pytest.mark.slow
@pytest.mark.skipif(probe.choose_layer().layer is None, reason="no sandbox layer works here")
def test_no_mutant_gets_a_false_verdict() -> None:
    counts, mistakes = count_verdicts([TASK], 10, 0)
    assert not mistakes
    assert counts["refuted: fail"] > 0
    assert counts["holds: pass"] > 0
