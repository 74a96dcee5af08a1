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
    n: int = Field(8, ge=1, le=256, description="beams: steps drawn in each round")
    width: int = Field(4, ge=1, le=64, description="steps drawn from each beam that is kept")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the beams just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def beam(problem: Problem, tools: Tools, parameters: Beam) -> Findings:
    """Keep the best N/M of N first steps, draw M next steps from each, and so on."""
    return await grow_beams(problem, tools, parameters, ahead=0)


async def grow_beams(problem: Problem, tools: Tools, parameters: Beam, ahead: int) -> Findings:
    """Beam search whose steps are scored `ahead` steps later. A beam that comes to its answer
    leaves with its place; of the answers the one that weighs most is taken."""
    n, width = parameters.n, parameters.width
    attempts: list[Attempt] = []
    front = await generate(tools, plant(problem, tools), n, prune=parameters.prune)
    for _ in range(parameters.rounds):
        ended = [node for node in front if node.path.done]
        attempts += await finish_all(problem, tools, ended, prune=parameters.prune)
        front = [node for node in front if not node.path.done]
        if not front or len(attempts) >= n or tools.budget.reasoning_over():
            break
        await evaluate(problem, tools, front, ahead)
        kept = prune(tools, front, max(1, (n - len(attempts)) // width))
        grown = (generate(tools, node, width, prune=parameters.prune) for node in kept)
        front = [node for children in await together(grown) for node in children]
    places = max(0 if attempts else 1, n - len(attempts))
    attempts += await finish_all(problem, tools, front[:places], prune=parameters.prune)
    return await by_answer(attempts, tools.same, weigh=merit)
