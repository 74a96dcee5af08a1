"""Beam search over steps, guided by a value model (Snell et al. 2024)."""

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.evaluate import evaluate, merit
from reasoner.operators.generate import generate
from reasoner.operators.prune import prune
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.strategies.line import finish_all, plant
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer

__all__ = ["Beam", "beam", "grow_beams"]


class Beam(Parameters):
    """The parameters of beam search: N = `n` beams, M = `width` steps each."""

    n: int = Field(8, ge=1, le=256, description="beams: steps drawn in each round")
    width: int = Field(4, ge=1, le=64, description="steps drawn from each beam that is kept")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the beams just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def beam(problem: Problem, context: Tools, parameters: Beam) -> Findings:
    """Keep the best N/M of N first steps, draw M next steps from each, and so on."""
    return await grow_beams(problem, context, parameters, ahead=0)


async def grow_beams(problem: Problem, context: Tools, parameters: Beam, ahead: int) -> Findings:
    """Beam search whose steps are scored after `ahead` further greedy steps.

    A beam that reaches its answer becomes a candidate and frees no place for another beam. The
    answer whose candidates have the highest total score is chosen.
    """
    n, width = parameters.n, parameters.width
    candidates: list[Attempt] = []
    front = await generate(context, plant(problem, context), n, prune=parameters.prune)
    for _ in range(parameters.rounds):
        finished = [node for node in front if node.path.done]
        candidates += await finish_all(problem, context, finished, prune=parameters.prune)
        front = [node for node in front if not node.path.done]
        if not front or len(candidates) >= n or context.budget.reasoning_over():
            break
        await evaluate(problem, context, front, ahead)
        beams = prune(context, front, max(1, (n - len(candidates)) // width))
        expansions = (generate(context, node, width, prune=parameters.prune) for node in beams)
        front = [node for children in await together(expansions) for node in children]
    remaining_beams = max(0 if candidates else 1, n - len(candidates))
    candidates += await finish_all(
        problem, context, front[:remaining_beams], prune=parameters.prune
    )
    return await by_answer(candidates, context.same, weigh=merit)
