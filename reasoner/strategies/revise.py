"""Sequential revision in view of the last candidates (Snell et al. 2024)."""

from contextlib import suppress

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.errors import PromptTooLong
from reasoner.operators.evaluate import merit
from reasoner.operators.tools import Tools
from reasoner.path import Path
from reasoner.problem import Message, Problem
from reasoner.strategies.line import line
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer

__all__ = ["Revise", "revise", "with_attempts"]

REVISE_PROMPT = (
    "Check this solution critically. If there is a mistake, find where it begins and solve the "
    "problem again from there; if there is none, solve it in another way."
)


class Revise(Parameters):
    """The parameters of sequential revision."""

    n: int = Field(4, ge=1, le=64, description="attempts, one after the other")
    memory: int = Field(4, ge=1, le=16, description="how many earlier attempts the model sees")
    prune: bool = Field(True, description="draw steps again that are refuted")


async def revise(problem: Problem, context: Tools, parameters: Revise) -> Findings:
    """Revise an attempt again and again, and choose among all of them, not just the last."""
    candidates: list[Attempt] = []
    while len(candidates) < parameters.n:
        revision = _fitting_revision(problem, context, candidates[-parameters.memory :])
        candidates.append(await line(problem, context, prune=parameters.prune, asked=revision))
        if context.budget.reasoning_over():
            break
    return await by_answer(candidates, context.same, weigh=merit)


def _fitting_revision(problem: Problem, context: Tools, candidates: list[Attempt]) -> Problem:
    """The problem with as many of the last candidates as the model's context holds."""
    for first in range(len(candidates)):
        revision = with_attempts(problem, candidates[first:])
        with suppress(PromptTooLong):
            context.policy.start(revision)
            return revision
    return problem


def with_attempts(problem: Problem, candidates: list[Attempt]) -> Problem:
    """The problem as a conversation in which the candidates are earlier turns.

    About 38 % of right answers turn wrong when they are revised (Snell et al. 2024), hence the
    choice among all candidates.
    """
    if not candidates:
        return problem
    turns = [Message(role="user", content=problem.question)]
    for candidate in candidates:
        turns.append(Message(role="assistant", content=_reply(candidate.path)))
        turns.append(Message(role="user", content=REVISE_PROMPT))
    history = (*problem.history, *turns[:-1])
    return problem.model_copy(update={"history": history, "question": REVISE_PROMPT})


def _reply(trajectory: Path) -> str:
    """The text of all steps and the answer."""
    return "\n\n".join([*(step.text for step in trajectory.steps), trajectory.answer])
