"""Correction of a model's own paths.

A path is kept up to its first false belief or unfounded decision and continued from there by the
sampler. So the model's own wrong moves, in the frequency it makes them, are followed by the right
reflection and a backtrack (as in DAgger, Ross et al. 2011).
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from reasoner.datagen.puzzles.graph import ReasoningGraph, with_moves
from reasoner.datagen.puzzles.walk import Decision, PathParameters, Visit, sample_path

__all__ = ["corrected_path"]


def corrected_path(
    graph: ReasoningGraph, visits: Sequence[Visit], random: Random, parameters: PathParameters
) -> tuple[ReasoningGraph, list[Visit]]:
    """Return the graph with the moves of `visits` added, and the corrected path.

    The path starts with `visits` up to the first step that is unsound or that leaves a solvable
    state; the unsound step is corrected, and the rest is sampled with `parameters`.
    """
    extended_graph = with_moves(graph, [(visit.state, visit.move) for visit in visits])
    path: list[Visit] = []
    branch = [graph.task.start]
    for visit in visits:
        abandoned_states = branch[branch.index(visit.state) + 1 :]
        if any(map(graph.task.is_solvable, abandoned_states)):
            break
        if not _is_sound(graph, visit):
            path.append(_corrected_visit(graph, visit))
            break
        path.append(visit)
        del branch[len(branch) - len(abandoned_states) :]
        branch += [visit.move.state] if visit.decision == "proceed" else []
        if visit.decision == "end":
            return extended_graph, path
    return extended_graph, sample_path(extended_graph, random, parameters, path)


def _is_sound(graph: ReasoningGraph, visit: Visit) -> bool:
    """Whether the step's belief is true, or false in a way that is not visible, and its decision
    follows from the belief."""
    is_hidden_error = (
        visit.believed_solvable
        and not visit.solvable
        and not graph.task.is_outcome_visible(visit.move.state)
    )
    is_belief_sound = visit.is_belief_correct or is_hidden_error
    return is_belief_sound and visit.decision == _implied_decision(graph, visit)


def _implied_decision(graph: ReasoningGraph, visit: Visit) -> Decision:
    """Return the decision that follows from the step's belief."""
    if graph.task.is_solved(visit.move.state):
        return "end"
    return "proceed" if visit.believed_solvable else "backtrack"


def _corrected_visit(graph: ReasoningGraph, visit: Visit) -> Visit:
    """Return the same move with the true belief and the decision that follows from it."""
    corrected = Visit(visit.state, visit.move, visit.solvable, "proceed", visit.solvable)
    return replace(corrected, decision=_implied_decision(graph, corrected))
