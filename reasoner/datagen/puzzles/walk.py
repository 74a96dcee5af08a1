"""Sampling of reasoning paths through a graph, with wrong moves and real backtracks.

Each step of a path chooses a move, forms a belief about whether the answer can be reached from the
new state, and proceeds, backtracks or ends accordingly. `PathParameters` says how often choice and
belief are wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from reasoner.datagen.puzzles.graph import ReasoningGraph
from reasoner.datagen.puzzles.task import Move, State

__all__ = ["Decision", "PathParameters", "Visit", "sample_path"]

Decision = Literal["proceed", "backtrack", "end"]
VISIBLE_OUTCOME_MOVE_BIAS = 0.95
"""The least probability of a right move in a state whose outcome is visible."""


@dataclass(frozen=True)
class PathParameters:
    """How often the steps of a sampled path are wrong."""

    right_move_bias: float = 0.5
    """The probability of a right move where there are right and wrong ones."""
    false_belief_rate: float = 0.4
    """The probability that an unsolvable state is believed solvable when this is not visible."""
    max_wrong_steps: float = 4.0
    """The mean number of moves tried in an unsolvable state before it is left."""
    max_steps: int = 24
    """The number of steps after which no more mistakes are made."""


@dataclass(frozen=True)
class Visit:
    """One step of a path: a move from a state, what is believed of the result, and the decision."""

    state: State
    move: Move
    believed_solvable: bool
    decision: Decision
    solvable: bool
    """Whether the answer can be reached from the result; if not, the move is not trained on."""

    @property
    def is_belief_correct(self) -> bool:
        """Whether the belief is true; if not, it is not trained on."""
        return self.believed_solvable == self.solvable


@dataclass
class _PartialPath:
    """The open branch of a path that is being sampled, and the moves tried in each state."""

    graph: ReasoningGraph
    branch: list[State]
    tried: dict[State, set[State]] = field(default_factory=dict)

    def untried_moves(self) -> list[Move]:
        """Return the moves from the end of the branch that the path has not made yet."""
        tried = self.tried.get(self.branch[-1], set())
        return [move for move in self.graph.moves(self.branch[-1]) if move.state not in tried]

    def add_visit(self, visit: Visit) -> None:
        """Record a step and update the branch."""
        self.tried.setdefault(visit.state, set()).add(visit.move.state)
        del self.branch[self.branch.index(visit.state) + 1 :]
        if visit.decision == "proceed":
            self.branch.append(visit.move.state)


def sample_path(
    graph: ReasoningGraph, random: Random, parameters: PathParameters, prefix: Sequence[Visit] = ()
) -> list[Visit]:
    """Sample a path that starts with the steps of `prefix` and ends at a right answer."""
    path = _PartialPath(graph, [graph.task.start])
    visits = list(prefix)
    for visit in visits:
        path.add_visit(visit)
    while not visits or visits[-1].decision != "end":
        may_err = len(visits) < parameters.max_steps
        if visits and visits[-1].decision == "backtrack":
            _leave_unsolvable_states(path, random, parameters, may_err)
        visits.append(_sample_visit(path, random, parameters, may_err))
        path.add_visit(visits[-1])
    return visits


def _leave_unsolvable_states(
    path: _PartialPath, random: Random, parameters: PathParameters, may_err: bool
) -> None:
    """Shorten the branch while its end is unsolvable and has no untried move or is given up."""
    while len(path.branch) > 1 and not path.graph.is_solvable(path.branch[-1]):
        if path.untried_moves() and may_err and random.random() > 1 / parameters.max_wrong_steps:
            return
        path.branch.pop()


def _sample_visit(
    path: _PartialPath, random: Random, parameters: PathParameters, may_err: bool
) -> Visit:
    graph, state = path.graph, path.branch[-1]
    moves = path.untried_moves()
    right_moves = [move for move in moves if graph.is_solvable(move.state)]
    wrong_moves = [move for move in moves if not graph.is_solvable(move.state)]
    bias = parameters.right_move_bias
    if graph.task.is_outcome_visible(state):
        bias = max(bias, VISIBLE_OUTCOME_MOVE_BIAS)
    is_right = not wrong_moves or (bool(right_moves) and (not may_err or random.random() < bias))
    move = random.choice(right_moves if is_right else wrong_moves)
    return _visit_with_belief(graph, state, move, random, parameters, may_err)


def _visit_with_belief(
    graph: ReasoningGraph,
    state: State,
    move: Move,
    random: Random,
    parameters: PathParameters,
    may_err: bool,
) -> Visit:
    """Return the move with a belief about its result. The belief is false only about an unsolvable
    state whose outcome is not visible and from which the graph has moves."""
    solvable = graph.is_solvable(move.state)
    is_misjudged = (
        not solvable
        and not graph.task.is_outcome_visible(move.state)
        and may_err
        and bool(graph.moves(move.state))
        and random.random() < parameters.false_belief_rate
    )
    believed_solvable = solvable or is_misjudged
    decision: Decision = "proceed" if believed_solvable else "backtrack"
    if graph.task.is_solved(move.state):
        decision = "end"
    return Visit(state, move, believed_solvable, decision, solvable)
