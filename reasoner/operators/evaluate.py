"""Evaluate: say how good something is, without changing what it says."""

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

PASSED = 0.75
"""The least standing of an attempt that passed a check."""
LEAST = 0.1
"""What a refuted attempt's vote still counts: its answer may be right all the same."""


async def evaluate(problem: Problem, tools: Tools, nodes: Iterable[Node], ahead: int = 0) -> None:
    """Give each node a score in [0, 1]: the value model's, else the likelihood of its last step.

    With `ahead`, what is scored is where that many further steps at temperature 0 lead
    (lookahead search, Snell et al. 2024).
    """

    async def rate(node: Node) -> None:
        path = await _ahead(tools, node, ahead)
        value = await tools.score(problem, path)
        node.score = likelihood(path) if value is None else value
        tools.tell(node)

    await together(rate(node) for node in nodes if node.score is None)


def likelihood(path: Path) -> float:
    """The geometric mean of the probabilities of the last step's sampled tokens; 0.5 without."""
    for step in reversed(path.steps):
        if step.tokens > step.forced:
            return exp(step.logprob / (step.tokens - step.forced))
    return 0.5


async def _ahead(tools: Tools, node: Node, steps: int) -> Path:
    path = node.path
    for _ in range(steps):
        if path.done or tools.budget.reasoning_over():
            break
        path = await tools.extend(path, node.number, sampling=GREEDY, silent=True)
    if path is not node.path:
        tools.drop(path, node.path)
    return path


def merit(attempt: Attempt, agreement: float | None = None) -> float:
    """What an attempt is worth, in [0, 1]: the mean of its standing before the verifiers, of its
    value, and of the share of others that agree with it, as far as there are any of these."""
    known = (standing(attempt.verdicts or ()), attempt.value, agreement)
    return fmean(part for part in known if part is not None)


def ballot(attempt: Attempt) -> float:
    """How much an attempt's vote counts, in [0, 1]: all of it when it passed its checks or
    nobody checked it, two thirds when they could not decide, at most a third when refuted."""
    if not attempt.verdicts:
        return 1.0
    return min(1.0, max(LEAST, standing(attempt.verdicts) / PASSED))
