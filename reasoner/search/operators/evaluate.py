"""Scores for nodes during a search and for candidates at its end."""

from collections.abc import Iterable
from math import exp
from statistics import fmean

from reasoner.answers.status import score_of_verdicts
from reasoner.concurrency.gather import gather_all
from reasoner.engine.sampling import GREEDY
from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode
from reasoner.types.candidate import Candidate
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory

__all__ = [
    "REFUTED_VOTE_WEIGHT",
    "candidate_score",
    "last_step_likelihood",
    "score_nodes",
    "vote_weight",
]

MIN_PASSED_SCORE = 0.75
"""The minimum verdict score of a candidate that passed a check."""
REFUTED_VOTE_WEIGHT = 0.1
"""The minimum vote weight, that of a refuted candidate: its answer may be right all the same."""


async def score_nodes(
    problem: Problem, context: SearchContext, nodes: Iterable[SearchNode], lookahead_steps: int = 0
) -> None:
    """Score each node without a score, in [0, 1]: by the value model, or without one by the
    likelihood of its last step.

    With `lookahead_steps` the trajectory is scored after that many further steps at temperature 0
    (lookahead search, Snell et al. 2024). Raises what the context's `extend_trajectory` and `score`
    do.
    """

    async def evaluate_node(node: SearchNode) -> None:
        trajectory = await _look_ahead(context, node, lookahead_steps)
        score = await context.score_trajectory(problem, trajectory)
        node.score = last_step_likelihood(trajectory) if score is None else score
        context.emit_node(node)

    await gather_all(evaluate_node(node) for node in nodes if node.score is None)


def last_step_likelihood(trajectory: Trajectory) -> float:
    """The geometric mean of the probabilities of the last step's sampled tokens; 0.5 without."""
    for step in reversed(trajectory.steps):
        if step.tokens > step.forced:
            return exp(step.logprob / (step.tokens - step.forced))
    return 0.5


async def _look_ahead(context: SearchContext, node: SearchNode, step_count: int) -> Trajectory:
    """The node's trajectory after `step_count` greedy steps, or as many as the budget allows."""
    trajectory = node.trajectory
    for _ in range(step_count):
        if trajectory.is_done or context.budget.is_reasoning_over():
            break
        trajectory = await context.extend_trajectory(
            trajectory, node.number, sampling=GREEDY, silent=True
        )
    if trajectory is not node.trajectory:
        context.release_trajectory(trajectory, node.trajectory)
    return trajectory


def candidate_score(candidate: Candidate, agreement: float | None = None) -> float:
    """The score of a candidate, in [0, 1]: the mean of its verdict score, its value score and the
    share of candidates that agree with it, as far as these are known."""
    scores = (score_of_verdicts(candidate.verdicts or ()), candidate.value_score, agreement)
    return fmean(score for score in scores if score is not None)


def vote_weight(candidate: Candidate) -> float:
    """The weight of a candidate's vote, in [0, 1]: 1 when it passed or was not verified, two thirds
    when the verifiers could not decide, at most a third when it was refuted."""
    if not candidate.verdicts:
        return 1.0
    return min(
        1.0, max(REFUTED_VOTE_WEIGHT, score_of_verdicts(candidate.verdicts) / MIN_PASSED_SCORE)
    )
