"""A program as a line of thought: the model writes it, the sandbox runs it, its output answers."""

from dataclasses import replace

from reasoner.attempt import Attempt
from reasoner.operators.tools import Tools
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.strategies.line import plant
from reasoner.strategies.shots import PROGRAMS, shown
from reasoner.verify.extract import extract_final

__all__ = ["program"]

LANGUAGE = "python"
ASK = (
    "Solve the problem with a Python program. Compute the answer from the numbers in the problem, "
    "step by step and with telling names, and print the final answer only. "
    "Write nothing but one ```python block."
)
TOKENS = 768
"""The most that a program and what is said about it may take; those that were right on GSM8K took
274 at most, those that ran away thousands."""
REPLY = "{code}\n\nThe program prints {printed}.\n\nThe answer is {printed}."


async def program(problem: Problem, tools: Tools) -> Attempt:
    """Have the problem solved by a program (program of thoughts, Chen et al. 2022).

    Its last line of output is the answer; an attempt without a final answer is a program that
    failed or printed none.
    """
    tools = replace(tools, policy=tools.policy.within(TOKENS))
    asked = problem.model_copy(update={"system": ASK})
    node = plant(shown(asked, PROGRAMS, tools.policy), tools)
    path = node.path
    while not path.done:
        path = await tools.extend(path, node.number, silent=True)
    printed = await _printed(path, tools)
    if printed is not None:
        reply = REPLY.format(code=path.answer.strip(), printed=printed)
        path = path.model_copy(update={"answer": reply})
    return await tools.attempt(problem, path, node.number, final=lambda _reply: printed)


async def _printed(path: Path, tools: Tools) -> str | None:
    call = await tools.run(LANGUAGE, path.answer)
    if call is None or not call.ok:
        return None
    return extract_final(call.output.strip().rsplit("\n", 1)[-1])
