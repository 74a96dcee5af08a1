"""The worked examples are right, and stand before a question only where there is room."""

import subprocess
import sys
from pathlib import Path

from reasoner.problem import Problem
from reasoner.strategies.shots import PROGRAMS, REASONINGS, briefly, shown
from reasoner.verify.extract import code_blocks, extract_final
from tests.workbench import workbench


def test_programs_print_what_reasonings_conclude() -> None:
    assert len(PROGRAMS) == len(REASONINGS) >= 4
    assert PROGRAMS[::2] == REASONINGS[::2]
    for program, reasoning in zip(PROGRAMS[1::2], REASONINGS[1::2], strict=True):
        (code,) = code_blocks(program.content)
        printed = subprocess.check_output([sys.executable, "-c", code], text=True)
        assert float(printed) == float(extract_final(reasoning.content) or "nan")


async def test_examples_stand_before_what_was_said(smollm2: Path, tiny_gguf: Path) -> None:
    problem = Problem(question="What is 6 * 7?", history=PROGRAMS[:2])
    examples = PROGRAMS[2:6]
    async with workbench(smollm2) as bench:
        longer = shown(problem, examples, bench.tools.policy)
        assert longer.history == (*examples, *problem.history)
        assert longer.question == problem.question
        brief = briefly(Problem(question="What is 6 * 7?"), bench.tools.policy)
        assert brief is not None
        assert brief.history == REASONINGS
        assert briefly(problem.model_copy(update={"system": "Hi"}), bench.tools.policy) is None
    async with workbench(tiny_gguf) as bench:  # a token for each letter
        assert shown(problem, PROGRAMS, bench.tools.policy) is problem
        assert briefly(problem, bench.tools.policy) is None
