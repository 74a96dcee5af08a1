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
    """The parameters of Monte-Carlo tree search."""

    simulations: int = Field(16, ge=1, le=10_000, description="walks down the tree")
    width: int = Field(2, ge=1, le=64, description="steps drawn at each leaf")
    parallel: int = Field(4, ge=1, le=64, description="walks at once")
    evaluation: Literal["auto", "value", "rollout"] = Field(
        "auto", description="what a step is worth: its value, or the answer it leads to"
    )
    discount: float = Field(0.96, gt=0.0, le=1.0, description="what a step further down costs")
    c1: float = Field(1.25, ge=0.0, description="exploration")
    prune: bool = Field(True, description="leave out steps that are refuted")


async def mcts(problem: Problem, context: Tools, parameters: Mcts) -> Findings:
    """Walk down a tree to where PUCT points, grow it there, and carry back what that is worth."""
    search = _TreeSearch(problem, context, parameters)
    simulations = as_drawn(search.start_simulation, search.wants_more)
    async with aclosing(simulations):
        async for _ in simulations:
            pass
    return await by_answer(await search.finish_candidates(), context.same, weigh=merit)


class _TreeSearch:
    """The tree of one search and the candidates that its leaves led to."""

    def __init__(self, problem: Problem, context: Tools, parameters: Mcts) -> None:
        self._problem, self._context, self._parameters = problem, context, parameters
        self._root = plant(problem, context)
        self._exploration = Exploration(c1=parameters.c1)
        value_model = parameters.evaluation == "auto" and context.value is not None
        self._by_value = value_model or parameters.evaluation == "value"
        self._candidates: list[Attempt] = []
        self._remaining_simulations = parameters.simulations

    def wants_more(self, running: int) -> bool:
        """Whether to start another simulation: a leaf is free, and the budget allows it."""
        if self._remaining_simulations <= 0 or running >= self._parameters.parallel:
            return False
        return not self._context.budget.reasoning_over() and self._select() is not None

    def start_simulation(self) -> Coroutine[Any, Any, None]:
        """Select a leaf and mark the nodes above it as pending, so that the next simulation selects
        another one."""
        nodes = self._select()
        assert nodes is not None
        self._remaining_simulations -= 1
        for node in nodes:
            node.pending += 1
        return self._simulate(nodes)

    async def finish_candidates(self) -> list[Attempt]:
        """All candidates. Without any, and in a search by value that has not finished its best
        leaf, a rollout from that leaf adds one."""
        leaf = best_leaf(self._root, lambda node: node.quality)
        if not self._candidates or (self._by_value and not leaf.path.done):
            await self._roll_out(leaf)
        return self._candidates

    def _select(self) -> list[Node] | None:
        return select(self._root, self._exploration)

    async def _simulate(self, nodes: Sequence[Node]) -> None:
        """Expand the leaf, evaluate its children, backpropagate."""
        width, prune = self._parameters.width, self._parameters.prune
        try:
            children = await generate(self._context, nodes[-1], width, prune=prune)
            await together(map(self._evaluate, children))
        finally:
            for node in nodes:
                node.pending -= 1
        update(nodes, discount=self._parameters.discount)
        for node in nodes:
            self._context.tell(node)

    async def _evaluate(self, node: Node) -> None:
        """Set a new node's first Q: its value score, or the score of a candidate by a rollout."""
        if node.path.done or not self._by_value:
            node.quality = await self._roll_out(node)
        else:
            await evaluate(self._problem, self._context, [node])
            node.quality = node.score or 0.0
        node.score, node.visits = node.quality, 1

    async def _roll_out(self, node: Node) -> float:
        """Add a candidate by a rollout and return its score, which does not depend on the known
        answer: verdicts, value, and the share of the candidates that agree with it."""
        candidate = await finish(self._problem, self._context, node, prune=self._parameters.prune)
        self._candidates.append(candidate)
        groups = await aggregate(self._candidates, self._context.same)
        votes = sum(len(group.attempts) for group in groups)
        agreeing = next((len(group.attempts) for group in groups if candidate in group.attempts), 0)
        return merit(candidate, agreeing / votes if votes else 0.0)
