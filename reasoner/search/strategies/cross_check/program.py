"""Candidates by programs: the model writes one, the sandbox runs it, its output is the answer."""

from dataclasses import replace

from reasoner.answers.extraction import extract_final_answer
from reasoner.policy.stop_text import cut_answer
from reasoner.search.context import SearchContext
from reasoner.search.rollout import create_root
from reasoner.search.strategies.cross_check.few_shot import PROGRAM_EXAMPLES, with_examples
from reasoner.types.candidate import Candidate
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory

__all__ = ["rollout_program"]

LANGUAGE = "python"
PROGRAM_SYSTEM_PROMPT = (
    "Solve the problem with a Python program. Compute the answer from the numbers in the problem, "
    "step by step and with telling names, and print the final answer only. "
    "Write nothing but one ```python block."
)
MAX_PROGRAM_TOKENS = 768
"""The maximum length of the reply with the program. On GSM8K right ones took at most 274 tokens,
runaway ones thousands."""
REPLY_TEMPLATE = "{code}\n\nThe program prints {printed}.\n\nThe answer is {printed}."


async def rollout_program(problem: Problem, context: SearchContext) -> Candidate:
    """A candidate by a program (program of thoughts, Chen et al. 2022).

    Its final answer is the last line that the program prints, None when the program failed or
    printed nothing. Raises what the context's `start_trajectory` and `extend_trajectory` do.
    """
    stop_texts = context.policy.limits.stop
    policy = context.policy.with_max_tokens(MAX_PROGRAM_TOKENS).with_limits(stop=())
    context = replace(context, policy=policy)
    prompt_problem = problem.model_copy(update={"system": PROGRAM_SYSTEM_PROMPT})
    node = create_root(with_examples(prompt_problem, PROGRAM_EXAMPLES, context.policy), context)
    trajectory = node.trajectory
    while not trajectory.is_done:
        trajectory = await context.extend_trajectory(trajectory, node.number, silent=True)
    printed = await _printed_answer(trajectory, context)
    if printed is not None:
        reply = REPLY_TEMPLATE.format(code=trajectory.answer.strip(), printed=printed)
        trajectory = cut_answer(trajectory.model_copy(update={"answer": reply}), stop_texts)
    return await context.finish_candidate(
        problem, trajectory, node.number, extract_answer=lambda _reply: printed
    )


async def _printed_answer(trajectory: Trajectory, context: SearchContext) -> str | None:
    call = await context.run_code(LANGUAGE, trajectory.answer)
    if call is None or not call.ok:
        return None
    return extract_final_answer(call.output.strip().rsplit("\n", 1)[-1])
