"""Where a path without marks may turn: on, back, or to its end, as a Steiner model decides it.

At the end of a step the model's likelihoods for the beginnings of three short phrases are
compared. To proceed nothing is written; the others are placed and the path goes on from there.
"""

from collections.abc import Mapping
from random import Random

from reasoner.path import Decision, Path, Phase
from reasoner.protocol.protocol import decided
from reasoner.settings import Limits

__all__ = ["drawn", "open_turns", "turned"]


def open_turns(path: Path, limits: Limits, phrases: Mapping[Decision, str]) -> dict[Decision, str]:
    """The decisions a path may take at the end of its last step, none where there is nothing to
    decide: an end not before the least number of steps, no step given up right after another."""
    if not limits.decide or path.phase is not Phase.REASONING or path.landed:
        return {}
    if not path.steps or path.steps[-1].call is not None:
        return {}
    found = dict(phrases)
    if len(path.steps) < limits.min_steps:
        found.pop(Decision.END, None)
    if len(path.steps) > 1 and path.steps[-2].decision is Decision.BACKTRACK:
        found.pop(Decision.BACKTRACK, None)
    return found if len(found) > 1 else {}


def drawn(chances: Mapping[Decision, float], temperature: float, random: Random) -> Decision:
    """The likeliest decision at temperature 0, else one at random."""
    if temperature == 0.0:
        return max(chances, key=lambda decision: chances[decision])
    top = max(chances.values())
    weights = [(chance / top) ** (1 / temperature) for chance in chances.values()]
    return random.choices(list(chances), weights)[0]


def turned(path: Path, decision: Decision) -> Path:
    """The path with the decision at the end of its last step."""
    phase = Phase.ANSWER if decision is Decision.END else path.phase
    return decided(path, decision).model_copy(update={"phase": phase})
