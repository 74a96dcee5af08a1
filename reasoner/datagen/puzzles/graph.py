"""The DAG of a problem's reasoning: what sampled and searched partial solutions have in common.

Paths are cut at random and gone on with from the cut, so that good beginnings get bad endings
and the other way round; equal states become one node. A node is `right` when the program finds
that a right answer can be reached from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from reasoner.datagen.puzzles.task import Move, PuzzleTask, State
from reasoner.errors import UsageError

if TYPE_CHECKING:
    import networkx

__all__ = ["ReasoningGraph", "build_reasoning_graph", "with_moves"]

SAMPLED_PATHS_PER_STATE = 4
"""Trails sampled from a state that another's path brought in."""
MAX_PATH_MOVES = 8
"""Moves one sampled path may have; states never repeat within one, so it ends by itself."""


@dataclass(frozen=True)
class ReasoningGraph:
    """The states that were met, and the moves between them.

    Nodes are states with `id` (in the order they were met), `right`, `depth` (moves from the
    question, d_s) and `left` (moves to the nearest answer that was met, d_e, or None). Edges carry
    their `move`.
    """

    task: PuzzleTask
    nodes: Any

    def moves(self, state: State) -> list[Move]:
        return [edge["move"] for _, _, edge in self.nodes.out_edges(state, data=True)]

    def is_solvable(self, state: State) -> bool:
        return bool(self.nodes.nodes[state]["right"])

    def node_id(self, state: State) -> int:
        return int(self.nodes.nodes[state]["id"])


def build_reasoning_graph(task: PuzzleTask, random: Random, paths: int = 24) -> ReasoningGraph:
    """Sample `paths` partial solutions and join them into a graph that holds a right answer.

    Raises UsageError where NetworkX is missing.
    """
    found: networkx.DiGraph[State] = _networkx().DiGraph()
    found.add_node(task.start, id=0)
    _follow(found, task, [task.start], random, searching=True)
    trails = [[task.start]]
    for _ in range(paths):
        trail = random.choice(trails)
        cut = trail[: random.randrange(len(trail)) + 1]
        trails.append(_follow(found, task, cut, random, searching=random.random() < 0.25))
    _complete(found, task, random)
    _mark(found, task)
    return ReasoningGraph(task, found)


def with_moves(graph: ReasoningGraph, moves: Iterable[tuple[State, Move]]) -> ReasoningGraph:
    """The graph with more moves in it, each from a state that it has by then, and with something
    to try in the states that are new."""
    found, random = graph.nodes.copy(), Random(0)  # noqa: S311
    for state, move in moves:
        new = move.state not in found
        if new:
            found.add_node(move.state, id=len(found))
        found.add_edge(state, move.state, move=move)
        for _ in range(SAMPLED_PATHS_PER_STATE if new else 0):
            _follow(found, graph.task, [move.state], random, searching=False)
    _complete(found, graph.task, random)
    _mark(found, graph.task)
    return ReasoningGraph(graph.task, found)


def _complete(found: "networkx.DiGraph[State]", task: PuzzleTask, random: Random) -> None:
    """Let every state from which an answer can be reached have one way there in the graph."""
    for state in list(found):
        if task.is_solvable(state) and not any(map(task.is_solvable, found.successors(state))):
            _follow(found, task, [state], random, searching=True)


def _follow(
    found: "networkx.DiGraph[State]",
    task: PuzzleTask,
    trail: list[State],
    random: Random,
    *,
    searching: bool,
) -> list[State]:
    """Go on from the end of a trail until nothing can be done; when `searching`, only where a
    right answer can still be reached."""
    trail = list(trail)
    while len(trail) <= MAX_PATH_MOVES and not task.is_solved(trail[-1]):
        moves = [move for move in task.moves(trail[-1]) if move.state not in trail]
        if searching and task.is_solvable(trail[-1]):
            moves = [move for move in moves if task.is_solvable(move.state)]
        if not moves:
            break
        move = random.choice(moves)
        if move.state not in found:
            found.add_node(move.state, id=len(found))
        found.add_edge(trail[-1], move.state, move=move)
        trail.append(move.state)
    return trail


def _mark(found: "networkx.DiGraph[State]", task: PuzzleTask) -> None:
    networkx = _networkx()
    depths = networkx.single_source_shortest_path_length(found, task.start)
    goals = {state for state in found if task.is_solved(state)}
    backwards = found.reverse(copy=False)
    left = networkx.multi_source_dijkstra_path_length(backwards, goals, weight=None)
    for state, node in found.nodes.items():
        node["right"] = task.is_solvable(state)
        node["depth"], node["left"] = depths[state], left.get(state)


def _networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise UsageError("this needs NetworkX; run: pip install 'reasoner[train]'") from error
    return networkx
