"""Search for the first wrong step of a solution, by sampling continuations of its prefixes.

The value of a prefix falls once a step is wrong, so bisection finds the step with few continuations
(OmegaPRM, Luo et al. 2024), where Math-Shepherd (Wang et al. 2023) samples them after every step.
"""

from collections.abc import Sequence

from reasoner.concurrency.gather import gather_all
from reasoner.datagen.rollouts.trajectory import MeasuredTrajectory, TrajectorySampler

__all__ = ["continuation_counts", "find_error"]


async def find_error(
    sampler: TrajectorySampler, wrong: MeasuredTrajectory, continuations: int, seed: int
) -> list[MeasuredTrajectory]:
    """Sample `continuations` trajectories from each prefix of `wrong` that the bisection visits,
    and return all of them.

    Right trajectories must have been sampled from the question alone, where the bisection starts.
    """
    right_steps, wrong_steps = 0, len(wrong.ends)
    samples: list[MeasuredTrajectory] = []
    while wrong_steps - right_steps > 1:
        middle = (right_steps + wrong_steps) // 2
        seeds = range(seed + 100 * middle, seed + 100 * middle + continuations)
        trajectories = await gather_all(
            sampler.continue_trajectory(wrong, middle, sample_seed) for sample_seed in seeds
        )
        samples += trajectories
        if any(trajectory.right for trajectory in trajectories):
            right_steps = middle
        else:
            wrong_steps = middle
    return samples


def continuation_counts(
    measured: MeasuredTrajectory, others: Sequence[MeasuredTrajectory]
) -> tuple[tuple[int, int], ...]:
    """Return for each step of `measured` how many of `others` that share the trajectory up to its
    end are right, and how many share it."""
    counts = []
    for step in range(len(measured.ends)):
        continuations = [other for other in others if measured.shares_prefix(other, step)]
        counts.append((sum(other.right for other in continuations), len(continuations)))
    return tuple(counts)
