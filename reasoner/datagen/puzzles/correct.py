"""A model's own path with its mistakes mended: where it believed or did what was not so, the
program's walk takes over. So its wrong turns, as often as it takes them, come to be followed by
the right verdict and a backtrack (as in DAgger, Ross et al. 2011)."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from reasoner.datagen.puzzles.graph import ReasoningGraph, with_moves
from reasoner.datagen.puzzles.walk import Decision, PathParameters, Visit, sample_path

__all__ = ["corrected_path"]


def corrected_path(
    graph: ReasoningGraph, visits: Sequence[Visit], random: Random, parameters: PathParameters
) -> tuple[ReasoningGraph, list[Visit]]:
    """The graph with the model's moves in it, and the path that starts as the model's did, up to
    where it believed or did what was not so, or left a state from which it could have won."""
    wider = with_moves(graph, [(visit.state, visit.move) for visit in visits])
    kept: list[Visit] = []
    branch = [graph.task.start]
    for visit in visits:
        left = branch[branch.index(visit.state) + 1 :]
        if any(map(graph.task.is_solvable, left)):
            break
        if not _sound(graph, visit):
            kept.append(_mended(graph, visit))
            break
        kept.append(visit)
        del branch[len(branch) - len(left) :]
        branch += [visit.move.state] if visit.decision == "proceed" else []
        if visit.decision == "end":
            return wider, kept
    return wider, sample_path(wider, random, parameters, kept)


def _sound(graph: ReasoningGraph, visit: Visit) -> bool:
    """Whether the step may stand: its belief is true, or false in a way that only trying shows,
    and it does what it believes."""
    misled = (
        visit.believed_solvable
        and not visit.solvable
        and not graph.task.is_outcome_visible(visit.move.state)
    )
    return (visit.is_belief_correct or misled) and visit.decision == _meant(graph, visit)


def _meant(graph: ReasoningGraph, visit: Visit) -> Decision:
    if graph.task.is_solved(visit.move.state):
        return "end"
    return "proceed" if visit.believed_solvable else "backtrack"


def _mended(graph: ReasoningGraph, visit: Visit) -> Visit:
    """The same move, with the truth about it and what follows from that."""
    truth = Visit(visit.state, visit.move, visit.solvable, "proceed", visit.solvable)
    return replace(truth, decision=_meant(graph, truth))
