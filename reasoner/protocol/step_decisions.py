"""Step decisions for models without marks: proceed, backtrack or end, as in Steiner models.

At the end of a step the model's probabilities of the beginnings of three short phrases are
compared. To proceed nothing is added; for the others the next round forces the phrase.
"""

from collections.abc import Mapping
from random import Random

from reasoner.protocol.protocol import decide_last_step
from reasoner.settings import Limits
from reasoner.types.trajectory import Decision, Phase, Trajectory

__all__ = ["allowed_decisions", "sample_decision", "with_decision"]


def allowed_decisions(
    trajectory: Trajectory, limits: Limits, phrases: Mapping[Decision, str]
) -> dict[Decision, str]:
    """Return the decisions that are possible after the last step with their phrases, or none.

    `end` is possible from `min_steps` on, and `backtrack` not right after another one.
    """
    if not limits.decide or trajectory.phase is not Phase.REASONING or trajectory.soft_stopped:
        return {}
    if not trajectory.steps or trajectory.steps[-1].call is not None:
        return {}
    decisions = dict(phrases)
    if len(trajectory.steps) < limits.min_steps:
        decisions.pop(Decision.END, None)
    if len(trajectory.steps) > 1 and trajectory.steps[-2].decision is Decision.BACKTRACK:
        decisions.pop(Decision.BACKTRACK, None)
    return decisions if len(decisions) > 1 else {}


def sample_decision(
    probabilities: Mapping[Decision, float], temperature: float, random: Random
) -> Decision:
    """Return the most likely decision at temperature 0, else sample one.

    `probabilities` are the probabilities of the decisions.
    """
    if temperature == 0.0:
        return max(probabilities, key=lambda decision: probabilities[decision])
    top = max(probabilities.values())
    weights = [(chance / top) ** (1 / temperature) for chance in probabilities.values()]
    return random.choices(list(probabilities), weights)[0]


def with_decision(trajectory: Trajectory, decision: Decision) -> Trajectory:
    """Return the trajectory with the decision at its last step; `end` begins the answer phase."""
    phase = Phase.ANSWER if decision is Decision.END else trajectory.phase
    return decide_last_step(trajectory, decision).model_copy(update={"phase": phase})
