r"""What a step is worth, from where it stands in the graph of its problem.

A node has a potential. With d_s moves from the question, d_e moves to the nearest answer, e_i ways
that lead in and e_o ways that lead on:

    Φ(n) = 0                                                     where no answer can be reached
    Φ(n) = d_s / (d_s + d_e) · (1 + ln(1 + e_i)) / (1 + ln(1 + e_i) + ln(1 + e_o))     else

and 1 at a right answer. The first factor is progress. The second is how settled the matter is:
many ways in mean that independent lines of thought agree on the node, many ways on mean that much
can still go wrong; logarithms, because the tenth way tells less than the second. A step from n to
m earns Φ(m) - Φ(n) less a small cost, and giving a branch up earns the way back. Being a
difference of potentials, it cannot be farmed by going in circles, and does not change which
policy is best (Ng, Harada and Russell 1999).
"""

from collections.abc import Sequence
from math import log

from reasoner.datagen.puzzles.graph import ReasoningGraph
from reasoner.datagen.puzzles.task import State

__all__ = ["STEP_COST", "state_potential", "step_rewards"]

STEP_COST = 0.01
"""What any step costs, so that of two ways to an answer the shorter one is better."""


def state_potential(graph: ReasoningGraph, state: State) -> float:
    """Φ of a node, in [0, 1]; 0 for a state that the graph does not hold."""
    node = graph.nodes.nodes.get(state)
    if node is None or not node["right"]:
        return 0.0
    if graph.task.is_solved(state):
        return 1.0
    left = node["left"] if node["left"] is not None else graph.task.start.count(" ") + 1
    ways_in = log(1 + graph.nodes.in_degree(state))
    ways_on = log(1 + graph.nodes.out_degree(state))
    progress = node["depth"] / (node["depth"] + left)
    return float(progress * (1 + ways_in) / (1 + ways_in + ways_on))


def step_rewards(graph: ReasoningGraph, visits: Sequence[tuple[State, State]]) -> list[float]:
    """The reward of each step of a path, given as (from, to) states.

    Where a step starts elsewhere than the last one ended, the branch was given up in between, and
    the way back counts to the step that starts anew.
    """
    rewards, before = [], state_potential(graph, graph.task.start)
    for _, state in visits:
        after = state_potential(graph, state)
        rewards.append(after - before - STEP_COST)
        before = after
    return rewards
