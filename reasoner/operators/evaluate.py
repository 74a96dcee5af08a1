"""Scores for nodes during a search and for candidates at its end."""

from collections.abc import Iterable
from math import exp
from statistics import fmean

from reasoner.attempt import Attempt
from reasoner.engine.sampling import GREEDY
from reasoner.operators.node import Node
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.verify.status import standing

__all__ = ["LEAST", "ballot", "evaluate", "likelihood", "merit"]

MIN_PASSED_SCORE = 0.75
"""The minimum verdict score of a candidate that passed a check."""
LEAST = 0.1
"""The minimum vote weight, that of a refuted candidate: its answer may be right all the same."""


async def evaluate(problem: Problem, context: Tools, nodes: Iterable[Node], ahead: int = 0) -> None:
    """Score each node without a score, in [0, 1]: by the value model, or without one by the
    likelihood of its last step.

    With `ahead` the trajectory is scored after that many further steps at temperature 0 (lookahead
    search, Snell et al. 2024). Raises what the context's `extend` and `score` do.
    """

    async def evaluate_node(node: Node) -> None:
        trajectory = await _look_ahead(context, node, ahead)
        score = await context.score(problem, trajectory)
        node.score = likelihood(trajectory) if score is None else score
        context.tell(node)

    await together(evaluate_node(node) for node in nodes if node.score is None)


def likelihood(trajectory: Path) -> float:
    """The geometric mean of the probabilities of the last step's sampled tokens; 0.5 without."""
    for step in reversed(trajectory.steps):
        if step.tokens > step.forced:
            return exp(step.logprob / (step.tokens - step.forced))
    return 0.5


async def _look_ahead(context: Tools, node: Node, step_count: int) -> Path:
    """The node's trajectory after `step_count` greedy steps, or as many as the budget allows."""
    trajectory = node.path
    for _ in range(step_count):
        if trajectory.done or context.budget.reasoning_over():
            break
        trajectory = await context.extend(trajectory, node.number, sampling=GREEDY, silent=True)
    if trajectory is not node.path:
        context.drop(trajectory, node.path)
    return trajectory


def merit(candidate: Attempt, agreement: float | None = None) -> float:
    """The score of a candidate, in [0, 1]: the mean of its verdict score, its value score and the
    share of candidates that agree with it, as far as these are known."""
    scores = (standing(candidate.verdicts or ()), candidate.value, agreement)
    return fmean(score for score in scores if score is not None)


def ballot(candidate: Attempt) -> float:
    """The weight of a candidate's vote, in [0, 1]: 1 when it passed or was not verified, two thirds
    when the verifiers could not decide, at most a third when it was refuted."""
    if not candidate.verdicts:
        return 1.0
    return min(1.0, max(LEAST, standing(candidate.verdicts) / MIN_PASSED_SCORE))
