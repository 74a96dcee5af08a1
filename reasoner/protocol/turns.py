"""Step decisions for models without marks: proceed, backtrack or end, as in Steiner models.

At the end of a step the model's probabilities of the beginnings of three short phrases are
compared. To proceed nothing is added; for the others the next round forces the phrase.
"""

from collections.abc import Mapping
from random import Random

from reasoner.path import Decision, Path, Phase
from reasoner.protocol.protocol import decided
from reasoner.settings import Limits

__all__ = ["drawn", "open_turns", "turned"]


def open_turns(path: Path, limits: Limits, phrases: Mapping[Decision, str]) -> dict[Decision, str]:
    """Return the decisions that are possible after the last step with their phrases, or none.

    `end` is possible from `min_steps` on, and `backtrack` not right after another one.
    """
    if not limits.decide or path.phase is not Phase.REASONING or path.landed:
        return {}
    if not path.steps or path.steps[-1].call is not None:
        return {}
    decisions = dict(phrases)
    if len(path.steps) < limits.min_steps:
        decisions.pop(Decision.END, None)
    if len(path.steps) > 1 and path.steps[-2].decision is Decision.BACKTRACK:
        decisions.pop(Decision.BACKTRACK, None)
    return decisions if len(decisions) > 1 else {}


def drawn(chances: Mapping[Decision, float], temperature: float, random: Random) -> Decision:
    """Return the most likely decision at temperature 0, else sample one.

    `chances` are the probabilities of the decisions.
    """
    if temperature == 0.0:
        return max(chances, key=lambda decision: chances[decision])
    top = max(chances.values())
    weights = [(chance / top) ** (1 / temperature) for chance in chances.values()]
    return random.choices(list(chances), weights)[0]


def turned(path: Path, decision: Decision) -> Path:
    """Return the trajectory with the decision at its last step; `end` begins the answer phase."""
    phase = Phase.ANSWER if decision is Decision.END else path.phase
    return decided(path, decision).model_copy(update={"phase": phase})
