"""Monte-Carlo tree search over steps, as in x1 (Besta et al. 2025), without its known answer."""

from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Literal

from pydantic import Field

from reasoner.concurrency.gather import completed_on_demand, gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.search.operators.evaluate import candidate_score, score_nodes
from reasoner.search.operators.generate import sample_children
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.restructure import best_leaf
from reasoner.search.operators.select import PuctConstants, select_leaf
from reasoner.search.operators.update import backpropagate
from reasoner.search.rollout import create_root, rollout_from_node
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.search.strategies.ranking import rank_by_answer
from reasoner.types.candidate import Candidate, SearchOutcome
from reasoner.types.problem import Problem

__all__ = ["MctsParameters", "mcts"]


class MctsParameters(StrategyParameters):
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


async def mcts(
    problem: Problem, context: SearchContext, parameters: MctsParameters
) -> SearchOutcome:
    """Walk down a tree to where PUCT points, grow it there, and carry back what that is worth."""
    search = _TreeSearch(problem, context, parameters)
    simulations = completed_on_demand(search.start_simulation, search.wants_more)
    async with aclosing(simulations):
        async for _ in simulations:
            pass
    return await rank_by_answer(
        await search.finish_candidates(), context.same_answer, vote_weight=candidate_score
    )


class _TreeSearch:
    """The tree of one search and the candidates that its leaves led to."""

    def __init__(
        self, problem: Problem, context: SearchContext, parameters: MctsParameters
    ) -> None:
        self._problem, self._context, self._parameters = problem, context, parameters
        self._root = create_root(problem, context)
        self._exploration = PuctConstants(c1=parameters.c1)
        value_model = parameters.evaluation == "auto" and context.value_scorer is not None
        self._by_value = value_model or parameters.evaluation == "value"
        self._candidates: list[Candidate] = []
        self._remaining_simulations = parameters.simulations

    def wants_more(self, running: int) -> bool:
        """Whether to start another simulation: a leaf is free, and the budget allows it."""
        if self._remaining_simulations <= 0 or running >= self._parameters.parallel:
            return False
        return not self._context.budget.is_reasoning_over() and self._select() is not None

    def start_simulation(self) -> Coroutine[Any, Any, None]:
        """Select a leaf and mark the nodes above it as pending, so that the next simulation selects
        another one."""
        nodes = self._select()
        assert nodes is not None
        self._remaining_simulations -= 1
        for node in nodes:
            node.pending_simulations += 1
        return self._simulate(nodes)

    async def finish_candidates(self) -> list[Candidate]:
        """All candidates. Without any, and in a search by value that has not finished its best
        leaf, a rollout from that leaf adds one."""
        leaf = best_leaf(self._root, lambda node: node.q_value)
        if not self._candidates or (self._by_value and not leaf.trajectory.is_done):
            await self._roll_out(leaf)
        return self._candidates

    def _select(self) -> list[SearchNode] | None:
        return select_leaf(self._root, self._exploration)

    async def _simulate(self, nodes: Sequence[SearchNode]) -> None:
        """Expand the leaf, evaluate its children, backpropagate."""
        width, prune = self._parameters.width, self._parameters.prune
        try:
            children = await sample_children(self._context, nodes[-1], width, drop_refuted=prune)
            await gather_all(map(self._evaluate, children))
        finally:
            for node in nodes:
                node.pending_simulations -= 1
        backpropagate(nodes, discount=self._parameters.discount)
        for node in nodes:
            self._context.emit_node(node)

    async def _evaluate(self, node: SearchNode) -> None:
        """Set a new node's first Q: its value score, or the score of a candidate by a rollout."""
        if node.trajectory.is_done or not self._by_value:
            node.q_value = await self._roll_out(node)
        else:
            await score_nodes(self._problem, self._context, [node])
            node.q_value = node.score or 0.0
        node.score, node.visits = node.q_value, 1

    async def _roll_out(self, node: SearchNode) -> float:
        """Add a candidate by a rollout and return its score, which does not depend on the known
        answer: verdicts, value, and the share of the candidates that agree with it."""
        candidate = await rollout_from_node(
            self._problem, self._context, node, drop_refuted=self._parameters.prune
        )
        self._candidates.append(candidate)
        groups = await group_by_answer(self._candidates, self._context.same_answer)
        votes = sum(len(group.candidates) for group in groups)
        agreeing = next(
            (len(group.candidates) for group in groups if candidate in group.candidates), 0
        )
        return candidate_score(candidate, agreeing / votes if votes else 0.0)
