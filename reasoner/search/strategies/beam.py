"""Beam search over steps, guided by a value model (Snell et al. 2024)."""

from pydantic import Field

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.evaluate import candidate_score, score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.prune import prune_nodes
from reasoner.search.rollout import create_root, rollout_from_nodes
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["BeamParameters", "beam", "search_beams"]


class BeamParameters(StrategyParameters):
    """The parameters of beam search: N = `n` beams, M = `width` steps each."""

    n: int = Field(8, ge=1, le=256, description="beams: steps drawn in each round")
    width: int = Field(4, ge=1, le=64, description="steps drawn from each beam that is kept")
    rounds: int = Field(40, ge=1, le=1000, description="most rounds before the beams just finish")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def beam(
    problem: Problem, context: SearchContext, parameters: BeamParameters
) -> SearchOutcome:
    """Keep the best N/M of N first steps, draw M next steps from each, and so on."""
    return await search_beams(problem, context, parameters, lookahead_steps=0)


async def search_beams(
    problem: Problem, context: SearchContext, parameters: BeamParameters, lookahead_steps: int
) -> SearchOutcome:
    """Beam search whose steps are scored after `lookahead_steps` further greedy steps.

    A beam that reaches its answer becomes a candidate and frees no place for another beam. The
    answer whose candidates have the highest total score is chosen.
    """
    n, width = parameters.n, parameters.width
    candidates: list[Candidate] = []
    front = await sample_children(
        context, create_root(problem, context), n, drop_refuted=parameters.prune
    )
    for _ in range(parameters.rounds):
        finished = [node for node in front if node.trajectory.is_done]
        candidates += await rollout_from_nodes(
            problem, context, finished, drop_refuted=parameters.prune
        )
        front = [node for node in front if not node.trajectory.is_done]
        if not front or len(candidates) >= n or context.budget.is_reasoning_over():
            break
        await score_nodes(problem, context, front, lookahead_steps)
        beams = prune_nodes(context, front, max(1, (n - len(candidates)) // width))
        expansions = (
            sample_children(context, node, width, drop_refuted=parameters.prune) for node in beams
        )
        front = [node for children in await gather_all(expansions) for node in children]
    remaining_beams = max(0 if candidates else 1, n - len(candidates))
    candidates += await rollout_from_nodes(
        problem, context, front[:remaining_beams], drop_refuted=parameters.prune
    )
    return await rank_by_answer(candidates, context.same_answer, vote_weight=candidate_score)
