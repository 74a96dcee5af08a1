"""The worked examples are right, and stand before a question only where there is room."""

import subprocess
import sys
from pathlib import Path

from reasoner.answers.extraction import code_blocks, extract_final_answer
from reasoner.search.strategies.cross_check.few_shot import (
    PROGRAM_EXAMPLES,
    REASONING_EXAMPLES,
    with_brief_examples,
    with_examples,
)
from reasoner.types.problem import Problem
from tests.workbench import workbench


def test_programs_print_what_reasonings_conclude() -> None:
    assert len(PROGRAM_EXAMPLES) == len(REASONING_EXAMPLES) >= 4
    assert PROGRAM_EXAMPLES[::2] == REASONING_EXAMPLES[::2]
    for program, reasoning in zip(PROGRAM_EXAMPLES[1::2], REASONING_EXAMPLES[1::2], strict=True):
        (code,) = code_blocks(program.content)
        printed = subprocess.check_output([sys.executable, "-c", code], text=True)
        assert float(printed) == float(extract_final_answer(reasoning.content) or "nan")


async def test_examples_stand_before_what_was_said(smollm2: Path, tiny_gguf: Path) -> None:
    problem = Problem(question="What is 6 * 7?", history=PROGRAM_EXAMPLES[:2])
    examples = PROGRAM_EXAMPLES[2:6]
    async with workbench(smollm2) as bench:
        longer = with_examples(problem, examples, bench.context.policy)
        assert longer.history == (*examples, *problem.history)
        assert longer.question == problem.question
        brief = with_brief_examples(Problem(question="What is 6 * 7?"), bench.context.policy)
        assert brief is not None
        assert brief.history == REASONING_EXAMPLES
        assert (
            with_brief_examples(problem.model_copy(update={"system": "Hi"}), bench.context.policy)
            is None
        )
    async with workbench(tiny_gguf) as bench:  # a token for each letter
        assert with_examples(problem, PROGRAM_EXAMPLES, bench.context.policy) is problem
        assert with_brief_examples(problem, bench.context.policy) is None
