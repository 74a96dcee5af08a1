"""Where a solution went wrong, found by drawing continuations from the ends of its steps.

The value of a prefix falls once a step is wrong, so halving finds the step with few continuations
(OmegaPRM, Luo et al. 2024) where Math-Shepherd (Wang et al. 2023) draws them from every step.
"""

from collections.abc import Sequence

from reasoner.concurrency.gather import gather_all
from reasoner.datagen.rollouts.trajectory import MeasuredTrajectory, TrajectorySampler

__all__ = ["continuation_counts", "find_error"]


async def find_error(
    grower: TrajectorySampler, wrong: MeasuredTrajectory, continuations: int, seed: int
) -> list[MeasuredTrajectory]:
    """Draw `continuations` lines from each prefix of `wrong` that halving asks about; its
    beginning must be one from which right lines were drawn. Gives the lines drawn."""
    good, bad = 0, len(wrong.ends)
    drawn: list[MeasuredTrajectory] = []
    while bad - good > 1:
        middle = (good + bad) // 2
        seeds = range(seed + 100 * middle, seed + 100 * middle + continuations)
        lines = await gather_all(grower.continue_trajectory(wrong, middle, each) for each in seeds)
        drawn += lines
        if any(line.right for line in lines):
            good = middle
        else:
            bad = middle
    return drawn


def continuation_counts(
    line: MeasuredTrajectory, lines: Sequence[MeasuredTrajectory]
) -> tuple[tuple[int, int], ...]:
    """For each step of `line` how many of `lines` that share it all up to its end are right, and
    how many share it."""
    found = []
    for step in range(len(line.ends)):
        same = [other for other in lines if line.shares_prefix(other, step)]
        found.append((sum(other.right for other in same), len(same)))
    return tuple(found)
