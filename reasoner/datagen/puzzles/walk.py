"""Paths of thought through a graph, wrong turns and real backtracks included.

A walk chooses moves, sees or believes what they led to, and goes on, gives the branch up or ends.
How often it is wrong is its habit; `steps_after` goes on from what a model did by itself.
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
"""How often a right move is taken where one look shows it."""


@dataclass(frozen=True)
class PathParameters:
    """How a walk errs: `aim` is how often it takes a right move where there is one,
    `false_belief_rate` how often it believes in a state that is dead but does not look it,
    `max_wrong_steps` how many moves it tries there before it leaves, `max_steps` the steps after
    which it makes no more mistakes."""

    right_move_bias: float = 0.5
    false_belief_rate: float = 0.4
    max_wrong_steps: float = 4.0
    max_steps: int = 24


@dataclass(frozen=True)
class Visit:
    """One step: the state it started from, the move, and what was thought of the result."""

    state: State
    move: Move
    believed_solvable: bool
    decision: Decision
    solvable: bool
    """Whether an answer can be reached from the result: if not, the move is not to be learnt."""

    @property
    def is_belief_correct(self) -> bool:
        """Whether the belief was true: if not, it is not to be learnt."""
        return self.believed_solvable == self.solvable


@dataclass
class _Walk:
    """A walk under way: the branch it stands on, and what was tried where."""

    graph: ReasoningGraph
    branch: list[State]
    tried: dict[State, set[State]] = field(default_factory=dict)

    def untried(self) -> list[Move]:
        tried = self.tried.get(self.branch[-1], set())
        return [move for move in self.graph.moves(self.branch[-1]) if move.state not in tried]

    def take(self, visit: Visit) -> None:
        self.tried.setdefault(visit.state, set()).add(visit.move.state)
        del self.branch[self.branch.index(visit.state) + 1 :]
        if visit.decision == "proceed":
            self.branch.append(visit.move.state)


def sample_path(
    graph: ReasoningGraph, random: Random, parameters: PathParameters, prefix: Sequence[Visit] = ()
) -> list[Visit]:
    """A path to a right answer, beginning with the visits `before`, which were another's."""
    way = _Walk(graph, [graph.task.start])
    visits = list(prefix)
    for visit in visits:
        way.take(visit)
    while not visits or visits[-1].decision != "end":
        weary = len(visits) >= parameters.max_steps
        if visits and visits[-1].decision == "backtrack":
            _retreat(way, random, parameters, weary)
        visits.append(_step(way, random, parameters, weary))
        way.take(visits[-1])
    return visits


def _retreat(way: _Walk, random: Random, habits: PathParameters, weary: bool) -> None:
    """Leave the states where nothing is left to try, and those that patience has run out with."""
    while len(way.branch) > 1 and not way.graph.is_solvable(way.branch[-1]):
        if way.untried() and not weary and random.random() > 1 / habits.max_wrong_steps:
            return
        way.branch.pop()


def _step(way: _Walk, random: Random, habits: PathParameters, weary: bool) -> Visit:
    graph, state = way.graph, way.branch[-1]
    moves = way.untried()
    right = [move for move in moves if graph.is_solvable(move.state)]
    wrong = [move for move in moves if not graph.is_solvable(move.state)]
    aim = (
        max(habits.right_move_bias, VISIBLE_OUTCOME_MOVE_BIAS)
        if graph.task.is_outcome_visible(state)
        else habits.right_move_bias
    )
    aims = not wrong or (bool(right) and (weary or random.random() < aim))
    return _seen(graph, state, random.choice(right if aims else wrong), random, habits, weary)


def _seen(
    graph: ReasoningGraph,
    state: State,
    move: Move,
    random: Random,
    habits: PathParameters,
    weary: bool,
) -> Visit:
    """The move with what is thought of it. Only a dead state that does not look dead misleads, and
    only where there is something to try in it."""
    right = graph.is_solvable(move.state)
    misled = (
        not right
        and not graph.task.is_outcome_visible(move.state)
        and not weary
        and bool(graph.moves(move.state))
        and random.random() < habits.false_belief_rate
    )
    hopeful = right or misled
    decision: Decision = "proceed" if hopeful else "backtrack"
    if graph.task.is_solved(move.state):
        decision = "end"
    return Visit(state, move, hopeful, decision, right)
