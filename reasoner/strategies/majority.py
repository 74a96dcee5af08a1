"""Self-consistency: the answer that most lines of thought arrive at (Wang et al. 2022).

Voting is adaptive: lines are drawn a few at a time, and none is started or finished once the
vote is decided (after Aggarwal et al. 2023, who do not count how many votes are left).
"""

from collections.abc import Callable
from contextlib import aclosing

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import Group, aggregate
from reasoner.operators.evaluate import ballot
from reasoner.operators.together import as_drawn
from reasoner.operators.tools import Tools
from reasoner.operators.vote import decided
from reasoner.problem import Problem
from reasoner.strategies.line import line
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer
from reasoner.strategies.shots import briefly

__all__ = ["Majority", "Poll", "majority"]


class Majority(Parameters):
    n: int = Field(16, ge=1, le=1024, description="most lines of thought")
    at_once: int = Field(4, ge=1, le=256, description="lines drawn side by side")
    adaptive: bool = Field(True, description="stop once the vote is decided")
    threshold: float = Field(
        0.8, gt=0.5, le=1.0, description="probability that the lead lasts at which it is"
    )
    weigh: bool = Field(True, description="a line counts its value, and less if it fails its check")
    prune: bool = Field(True, description="draw steps again that are refuted")
    brief: bool = Field(False, description="keep the lines short, by worked examples")


async def majority(problem: Problem, tools: Tools, parameters: Majority) -> Findings:
    """Draw several lines of thought and take the answer most of them arrive at."""
    attempts: list[Attempt] = []
    poll = Poll(parameters, tools.policy.varied, tools.budget.reasoning_over)
    asked = briefly(problem, tools.policy) if parameters.brief else None
    draws = as_drawn(lambda: line(problem, tools, prune=parameters.prune, asked=asked), poll.wants)
    async with aclosing(draws):
        async for attempt in draws:
            attempts.append(attempt)
            poll.count(await aggregate(attempts, tools.same), len(attempts))
            if poll.settled:
                break
    return await by_answer(attempts, tools.same, weigh=poll.weigh)


class Poll:
    """Counts the votes and says whether more are wanted; `over` tells when the time is up."""

    def __init__(self, parameters: Majority, varied: bool, over: Callable[[], bool]) -> None:
        self._parameters, self._over = parameters, over
        self._size = parameters.n if varied else 1
        self._started = self._counted = 0
        self._weights = [0.0]

    def weigh(self, attempt: Attempt) -> float:
        value = 1.0 if attempt.value is None else attempt.value
        return ballot(attempt) * value if self._parameters.weigh else 1.0

    def wants(self, running: int) -> bool:
        """Whether to start another line: not while those that run might decide the vote."""
        if self._started and self._over():
            return False
        if self._started == self._size or running >= self._parameters.at_once:
            return False
        lead, *others = sorted(self._weights, reverse=True)
        if self._decided([lead + running, *others], self._size - self._started):
            return False
        self._started += 1
        return True

    def count(self, groups: tuple[Group, ...], counted: int) -> None:
        self._weights = [sum(map(self.weigh, group.attempts)) for group in groups] or [0.0]
        self._counted = counted

    @property
    def settled(self) -> bool:
        """Whether no vote to come is worth waiting for."""
        return self._decided(self._weights, self._size - self._counted)

    def _decided(self, weights: list[float], left: int) -> bool:
        return self._parameters.adaptive and decided(weights, left, self._parameters.threshold)
