"""Sampling of trajectories together with the features of each of their steps."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reasoner.answers.extraction import extract_final_answer
from reasoner.engine.interface import Engine
from reasoner.policy.policy import Policy
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.step_features import StepFeatureExtractor

__all__ = ["MeasuredTrajectory", "TrajectorySampler"]

Half = npt.NDArray[np.float16]


@dataclass(frozen=True)
class MeasuredTrajectory:
    """A finished trajectory with the features of its steps.

    `prefixes` are the trajectories after each step, the last of which is the whole; `ends` are the
    numbers of tokens up to each step's end, `step_texts` the steps' texts and `step_features` their
    rows of features. `expect` is the known answer, `final` the final answer of the trajectory, and
    `right` whether they are equal.
    """

    prefixes: tuple[Trajectory, ...]
    ends: tuple[int, ...]
    step_texts: tuple[str, ...]
    step_features: tuple[Half, ...]
    expect: str
    final: str | None
    right: bool

    @property
    def trajectory(self) -> Trajectory:
        """The whole trajectory."""
        return self.prefixes[-1]

    def shares_prefix(self, other: "MeasuredTrajectory", step: int) -> bool:
        """Whether `other` has the same prompt and the same tokens up to the end of step `step`."""
        end = self.ends[step]
        has_same_tokens = other.trajectory.tokens[:end] == self.trajectory.tokens[:end]
        return has_same_tokens and other.trajectory.prompt == self.trajectory.prompt


@dataclass
class _UnfinishedTrajectory:
    """The parts of a `MeasuredTrajectory` that is being sampled, and its trajectory so far."""

    trajectory: Trajectory
    prefixes: list[Trajectory] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    step_texts: list[str] = field(default_factory=list)
    step_features: list[Half] = field(default_factory=list)


class TrajectorySampler:
    """Samples trajectories. `same(left, right)` returns whether two answers are equal."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        same: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        self._engine, self._policy, self._same = engine, policy, same
        self._extractor = StepFeatureExtractor(engine)

    async def sample_trajectory(
        self, problem: Problem, expect: str, seed: int
    ) -> MeasuredTrajectory:
        """Sample a trajectory from the question on; `expect` is the known answer."""
        unfinished = _UnfinishedTrajectory(self._policy.start_trajectory(problem))
        return await self._finish(unfinished, expect, seed)

    async def continue_trajectory(
        self, measured: MeasuredTrajectory, steps: int, seed: int
    ) -> MeasuredTrajectory:
        """Sample another trajectory that shares the first `steps` steps of `measured`."""
        unfinished = _UnfinishedTrajectory(
            measured.prefixes[steps - 1],
            list(measured.prefixes[:steps]),
            list(measured.ends[:steps]),
            list(measured.step_texts[:steps]),
            list(measured.step_features[:steps]),
        )
        return await self._finish(unfinished, measured.expect, seed)

    async def _finish(
        self, unfinished: _UnfinishedTrajectory, expect: str, seed: int
    ) -> MeasuredTrajectory:
        """Sample steps until the trajectory is done."""
        while not unfinished.trajectory.is_done:
            await self._add_step(unfinished, seed)
        trajectory = unfinished.trajectory
        final = extract_final_answer(trajectory.prompted_answer) if trajectory.answer else None
        right = final is not None and (final == expect or await self._same(final, expect))
        return MeasuredTrajectory(
            prefixes=(*unfinished.prefixes[:-1], trajectory),
            ends=tuple(unfinished.ends),
            step_texts=tuple(unfinished.step_texts),
            step_features=tuple(unfinished.step_features),
            expect=expect,
            final=final,
            right=right,
        )

    async def _add_step(self, unfinished: _UnfinishedTrajectory, seed: int) -> None:
        """Extend the trajectory once and, when that gives text, add a step with its features."""
        start = len(unfinished.trajectory.tokens)
        trajectory = await self._policy.extend(unfinished.trajectory, seed=seed)
        unfinished.trajectory = trajectory
        new_tokens = self._without_end_tokens(trajectory.tokens[start:])
        if not new_tokens:
            return
        end = start + len(new_tokens)
        unfinished.ends.append(end)
        unfinished.step_texts.append(self._engine.detokenize(new_tokens))
        unfinished.prefixes.append(trajectory)
        truncated = trajectory.truncated_to(end)
        features = await self._extractor.extract_features(
            trajectory.prompt,
            truncated.tokens,
            unfinished.ends,
            len(unfinished.ends) - 1,
            statistics=truncated.token_statistics,
        )
        unfinished.step_features += [row.astype(np.float16) for row in features]

    def _without_end_tokens(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        """Return the tokens without those that end the reply, which have no features."""
        while tokens and self._engine.is_eog(tokens[-1]):
            tokens = tokens[:-1]
        return tokens
