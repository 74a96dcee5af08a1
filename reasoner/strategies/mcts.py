"""Monte-Carlo tree search over steps, as in x1 (Besta et al. 2025), without its known answer."""

from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Literal

from pydantic import Field

from reasoner.attempt import Attempt, Findings
from reasoner.operators.aggregate import aggregate
from reasoner.operators.evaluate import evaluate, merit
from reasoner.operators.generate import generate
from reasoner.operators.node import Node
from reasoner.operators.restructure import best_leaf
from reasoner.operators.select import Exploration, select
from reasoner.operators.together import as_drawn, together
from reasoner.operators.tools import Tools
from reasoner.operators.update import update
from reasoner.problem import Problem
from reasoner.strategies.line import finish, plant
from reasoner.strategies.parameters import Parameters
from reasoner.strategies.ranking import by_answer

__all__ = ["Mcts", "mcts"]


class Mcts(Parameters):
    simulations: int = Field(16, ge=1, le=10_000, description="walks down the tree")
    width: int = Field(2, ge=1, le=64, description="steps drawn at each leaf")
    parallel: int = Field(4, ge=1, le=64, description="walks at once")
    evaluation: Literal["auto", "value", "rollout"] = Field(
        "auto", description="what a step is worth: its value, or the answer it leads to"
    )
    discount: float = Field(0.96, gt=0.0, le=1.0, description="what a step further down costs")
    c1: float = Field(1.25, ge=0.0, description="exploration")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def mcts(problem: Problem, tools: Tools, parameters: Mcts) -> Findings:
    """Walk down a tree to where PUCT points, grow it there, and carry back what that is worth."""
    search = _Search(problem, tools, parameters)
    walks = as_drawn(search.begin, search.wants)
    async with aclosing(walks):
        async for _ in walks:
            pass
    return await by_answer(await search.answers(), tools.same, weigh=merit)


class _Search:
    """The tree, and the answers its leaves came to."""

    def __init__(self, problem: Problem, tools: Tools, parameters: Mcts) -> None:
        self._problem, self._tools, self._parameters = problem, tools, parameters
        self._root = plant(problem, tools)
        self._exploration = Exploration(c1=parameters.c1)
        by_value = parameters.evaluation == "auto" and tools.value is not None
        self._by_value = by_value or parameters.evaluation == "value"
        self._attempts: list[Attempt] = []
        self._left = parameters.simulations

    def wants(self, running: int) -> bool:
        """Whether to begin another walk: there is a leaf that nobody is growing, and budget."""
        if self._left <= 0 or running >= self._parameters.parallel:
            return False
        return not self._tools.budget.reasoning_over() and self._select() is not None

    def begin(self) -> Coroutine[Any, Any, None]:
        """Select a walk and mark it, so that the next one goes elsewhere."""
        walk = self._select()
        assert walk is not None
        self._left -= 1
        for node in walk:
            node.pending += 1
        return self._simulate(walk)

    async def answers(self) -> list[Attempt]:
        """All that was arrived at; where steps were judged by their value, also where the best
        of them lead, for no answer may have been among the leaves."""
        leaf = best_leaf(self._root, lambda node: node.quality)
        if not self._attempts or (self._by_value and not leaf.path.done):
            await self._arrive(leaf)
        return self._attempts

    def _select(self) -> list[Node] | None:
        return select(self._root, self._exploration)

    async def _simulate(self, walk: Sequence[Node]) -> None:
        """Expand the leaf, evaluate its children, update the walk."""
        width, prune = self._parameters.width, self._parameters.prune
        try:
            children = await generate(self._tools, walk[-1], width, prune=prune)
            await together(map(self._appraise, children))
        finally:
            for node in walk:
                node.pending -= 1
        update(walk, discount=self._parameters.discount)
        for node in walk:
            self._tools.tell(node)

    async def _appraise(self, node: Node) -> None:
        """A new node's first quality: what its answer is worth, or its rollout's, or its value."""
        if node.path.done or not self._by_value:
            node.quality = await self._arrive(node)
        else:
            await evaluate(self._problem, self._tools, [node])
            node.quality = node.score or 0.0
        node.score, node.visits = node.quality, 1

    async def _arrive(self, node: Node) -> float:
        """Take a node to an answer, and say what that is worth without knowing the right one:
        its standing and value, and the share of the answers so far that agree."""
        attempt = await finish(self._problem, self._tools, node, prune=self._parameters.prune)
        self._attempts.append(attempt)
        groups = await aggregate(self._attempts, self._tools.same)
        votes = sum(len(group.attempts) for group in groups)
        ours = next((len(group.attempts) for group in groups if attempt in group.attempts), 0)
        return merit(attempt, ours / votes if votes else 0.0)
