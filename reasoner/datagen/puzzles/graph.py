"""The directed acyclic graph of a problem's partial solutions.

Paths are sampled, cut at random points and continued from there, so that right prefixes get wrong
endings and the reverse. Equal states become one node.
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
"""Paths sampled from each state that `with_moves` adds."""
MAX_PATH_MOVES = 8
"""Moves after which the sampling of a path stops."""


@dataclass(frozen=True)
class ReasoningGraph:
    """The sampled states of a task and the moves between them.

    `nodes` is a NetworkX `DiGraph` over states. A node has `id` (in the order of sampling), `right`
    (whether a right answer can be reached from it), `depth` (moves from the question, d_s) and
    `distance` (moves to the nearest right answer in the graph, d_e, or None). An edge has `move`.
    """

    task: PuzzleTask
    nodes: Any

    def moves(self, state: State) -> list[Move]:
        """Return the moves that the graph has from a state."""
        return [edge["move"] for _, _, edge in self.nodes.out_edges(state, data=True)]

    def is_solvable(self, state: State) -> bool:
        """Whether a right answer can be reached from a state of the graph."""
        return bool(self.nodes.nodes[state]["right"])

    def node_id(self, state: State) -> int:
        """Return the number of a state's node."""
        return int(self.nodes.nodes[state]["id"])


def build_reasoning_graph(task: PuzzleTask, random: Random, paths: int = 24) -> ReasoningGraph:
    """Sample `paths` partial solutions and one right one, and join them into a graph.

    Raises UsageError where NetworkX is missing.
    """
    graph: networkx.DiGraph[State] = _networkx().DiGraph()
    graph.add_node(task.start, id=0)
    _extend_path(graph, task, [task.start], random, keep_solvable=True)
    sampled_paths = [[task.start]]
    for _ in range(paths):
        path = random.choice(sampled_paths)
        prefix = path[: random.randrange(len(path)) + 1]
        keep_solvable = random.random() < 0.25
        sampled_paths.append(_extend_path(graph, task, prefix, random, keep_solvable=keep_solvable))
    _add_solutions(graph, task, random)
    _annotate_nodes(graph, task)
    return ReasoningGraph(task, graph)


def with_moves(graph: ReasoningGraph, moves: Iterable[tuple[State, Move]]) -> ReasoningGraph:
    """Return the graph with more moves, each from a state that is in it by then, and with sampled
    paths from the states that are new."""
    nodes, random = graph.nodes.copy(), Random(0)  # noqa: S311
    for state, move in moves:
        is_new = move.state not in nodes
        if is_new:
            nodes.add_node(move.state, id=len(nodes))
        nodes.add_edge(state, move.state, move=move)
        for _ in range(SAMPLED_PATHS_PER_STATE if is_new else 0):
            _extend_path(nodes, graph.task, [move.state], random, keep_solvable=False)
    _add_solutions(nodes, graph.task, random)
    _annotate_nodes(nodes, graph.task)
    return ReasoningGraph(graph.task, nodes)


def _add_solutions(graph: "networkx.DiGraph[State]", task: PuzzleTask, random: Random) -> None:
    """Add a path to a right answer from every solvable state that has none in the graph."""
    for state in list(graph):
        if task.is_solvable(state) and not any(map(task.is_solvable, graph.successors(state))):
            _extend_path(graph, task, [state], random, keep_solvable=True)


def _extend_path(
    graph: "networkx.DiGraph[State]",
    task: PuzzleTask,
    prefix: list[State],
    random: Random,
    *,
    keep_solvable: bool,
) -> list[State]:
    """Continue a path at random until it is solved or has no moves, add it to the graph and return
    it. With `keep_solvable`, a solvable state is only left for another one."""
    path = list(prefix)
    while len(path) <= MAX_PATH_MOVES and not task.is_solved(path[-1]):
        moves = [move for move in task.moves(path[-1]) if move.state not in path]
        if keep_solvable and task.is_solvable(path[-1]):
            moves = [move for move in moves if task.is_solvable(move.state)]
        if not moves:
            break
        move = random.choice(moves)
        if move.state not in graph:
            graph.add_node(move.state, id=len(graph))
        graph.add_edge(path[-1], move.state, move=move)
        path.append(move.state)
    return path


def _annotate_nodes(graph: "networkx.DiGraph[State]", task: PuzzleTask) -> None:
    """Set `right`, `depth` and `distance` of all nodes."""
    networkx = _networkx()
    depths = networkx.single_source_shortest_path_length(graph, task.start)
    goals = {state for state in graph if task.is_solved(state)}
    reverse_graph = graph.reverse(copy=False)
    distances = networkx.multi_source_dijkstra_path_length(reverse_graph, goals, weight=None)
    for state, node in graph.nodes.items():
        node["right"] = task.is_solvable(state)
        node["depth"], node["distance"] = depths[state], distances.get(state)


def _networkx() -> Any:
    try:
        import networkx
    except ImportError as error:
        raise UsageError("this needs NetworkX; run: pip install 'reasoner[train]'") from error
    return networkx
