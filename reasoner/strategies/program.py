"""Candidates by programs: the model writes one, the sandbox runs it, its output is the answer."""

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
SYSTEM_PROMPT = (
    "Solve the problem with a Python program. Compute the answer from the numbers in the problem, "
    "step by step and with telling names, and print the final answer only. "
    "Write nothing but one ```python block."
)
MAX_PROGRAM_TOKENS = 768
"""The maximum length of the reply with the program. On GSM8K right ones took at most 274 tokens,
runaway ones thousands."""
REPLY_TEMPLATE = "{code}\n\nThe program prints {printed}.\n\nThe answer is {printed}."


async def program(problem: Problem, context: Tools) -> Attempt:
    """A candidate by a program (program of thoughts, Chen et al. 2022).

    Its final answer is the last line that the program prints, None when the program failed or
    printed nothing. Raises what the context's `start` and `extend` do.
    """
    context = replace(context, policy=context.policy.within(MAX_PROGRAM_TOKENS))
    prompt_problem = problem.model_copy(update={"system": SYSTEM_PROMPT})
    node = plant(shown(prompt_problem, PROGRAMS, context.policy), context)
    trajectory = node.path
    while not trajectory.done:
        trajectory = await context.extend(trajectory, node.number, silent=True)
    printed = await _printed_answer(trajectory, context)
    if printed is not None:
        reply = REPLY_TEMPLATE.format(code=trajectory.answer.strip(), printed=printed)
        trajectory = trajectory.model_copy(update={"answer": reply})
    return await context.attempt(problem, trajectory, node.number, final=lambda _reply: printed)


async def _printed_answer(trajectory: Path, context: Tools) -> str | None:
    call = await context.run(LANGUAGE, trajectory.answer)
    if call is None or not call.ok:
        return None
    return extract_final(call.output.strip().rsplit("\n", 1)[-1])
