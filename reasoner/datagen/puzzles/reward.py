r"""Rewards of steps, as differences of potentials of graph nodes.

The potential of a node with d_s moves from the question, d_e moves to the nearest right answer, e_i
incoming and e_o outgoing edges is

    Φ(n) = 0                                                  where no right answer can be reached
    Φ(n) = d_s / (d_s + d_e) · (1 + ln(1 + e_i)) / (1 + ln(1 + e_i) + ln(1 + e_o))  else

and 1 at a right answer. The first factor is progress. The second is agreement: it grows with the
paths that independently reach the node and falls with the choices that remain, on a logarithmic
scale. The reward of a step from n to m is Φ(m) - Φ(n) less a small cost; a step that starts in an
earlier state also gets the difference for returning there. Rewards that are differences of
potentials cannot be collected by going in circles and do not change which policy is best
(Ng, Harada and Russell 1999).
"""

from collections.abc import Sequence
from math import log

from reasoner.datagen.puzzles.graph import ReasoningGraph
from reasoner.datagen.puzzles.task import State

__all__ = ["STEP_COST", "state_potential", "step_rewards"]

STEP_COST = 0.01
"""The cost of a step, so that the shorter of two paths to a right answer has the higher reward."""


def state_potential(graph: ReasoningGraph, state: State) -> float:
    """Return Φ of a state, in [0, 1]; 0 for a state that is not in the graph."""
    node = graph.nodes.nodes.get(state)
    if node is None or not node["right"]:
        return 0.0
    if graph.task.is_solved(state):
        return 1.0
    distance = node["distance"]
    if distance is None:
        distance = graph.task.start.count(" ") + 1
    incoming = log(1 + graph.nodes.in_degree(state))
    outgoing = log(1 + graph.nodes.out_degree(state))
    progress = node["depth"] / (node["depth"] + distance)
    return float(progress * (1 + incoming) / (1 + incoming + outgoing))


def step_rewards(graph: ReasoningGraph, visits: Sequence[tuple[State, State]]) -> list[float]:
    """Return the reward of each step of a path, whose steps are given as (from, to) states.

    The reward of a step that does not start where the last one ended includes the difference of
    potentials for the return to its start.
    """
    rewards, previous = [], state_potential(graph, graph.task.start)
    for _, state in visits:
        potential = state_potential(graph, state)
        rewards.append(potential - previous - STEP_COST)
        previous = potential
    return rewards
