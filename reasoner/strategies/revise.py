"""Sequential revision: try again in view of the last attempts (Snell et al. 2024)."""

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

AGAIN = (
    "Check this solution critically. If there is a mistake, find where it begins and solve the "
    "problem again from there; if there is none, solve it in another way."
)


class Revise(Parameters):
    n: int = Field(4, ge=1, le=64, description="attempts, one after the other")
    memory: int = Field(4, ge=1, le=16, description="how many earlier attempts the model sees")
    prune: bool = Field(True, description="draw steps again that are refuted")


async def revise(problem: Problem, tools: Tools, parameters: Revise) -> Findings:
    """Revise an attempt again and again, and choose among all of them, not just the last."""
    attempts: list[Attempt] = []
    while len(attempts) < parameters.n:
        asked = _fitting(problem, tools, attempts[-parameters.memory :])
        attempts.append(await line(problem, tools, prune=parameters.prune, asked=asked))
        if tools.budget.reasoning_over():
            break
    return await by_answer(attempts, tools.same, weigh=merit)


def _fitting(problem: Problem, tools: Tools, attempts: list[Attempt]) -> Problem:
    """The problem with as many of the last attempts as the context can hold."""
    for begin in range(len(attempts)):
        asked = with_attempts(problem, attempts[begin:])
        with suppress(PromptTooLong):
            tools.policy.start(asked)
            return asked
    return problem


def with_attempts(problem: Problem, attempts: list[Attempt]) -> Problem:
    """The problem as the next turn of a conversation in which it was tried before.

    About 38 % of right answers turn wrong when they are revised, hence the choice among all.
    """
    if not attempts:
        return problem
    turns = [Message(role="user", content=problem.question)]
    for attempt in attempts:
        turns.append(Message(role="assistant", content=_whole(attempt.path)))
        turns.append(Message(role="user", content=AGAIN))
    history = (*problem.history, *turns[:-1])
    return problem.model_copy(update={"history": history, "question": AGAIN})


def _whole(path: Path) -> str:
    """An attempt as it was said: its reasoning and its answer."""
    return "\n\n".join([*(step.text for step in path.steps), path.answer])
