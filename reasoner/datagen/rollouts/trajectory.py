"""A line of thought as it grows, with the features of each of its steps."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reasoner.answers.extraction import extract_final_answer
from reasoner.engine.interface import Engine
from reasoner.policy.policy import Policy
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.doubts import StepFeatureExtractor

__all__ = ["MeasuredTrajectory", "TrajectorySampler"]

Half = npt.NDArray[np.float16]


@dataclass(frozen=True)
class MeasuredTrajectory:
    """A finished line: the path after each step (`stops`, the last is done), where among its
    tokens each step ends, the step's text as it was written, and its features."""

    prefixes: tuple[Trajectory, ...]
    ends: tuple[int, ...]
    step_texts: tuple[str, ...]
    step_features: tuple[Half, ...]
    expect: str
    final: str | None
    right: bool

    @property
    def trajectory(self) -> Trajectory:
        return self.prefixes[-1]

    def shares_prefix(self, other: "MeasuredTrajectory", step: int) -> bool:
        """Whether `other` begins like this one up to the end of step `step`."""
        end = self.ends[step]
        same = other.trajectory.tokens[:end] == self.trajectory.tokens[:end]
        return same and other.trajectory.prompt == self.trajectory.prompt


@dataclass
class _Sprout:
    """A line that is still growing."""

    path: Trajectory
    stops: list[Trajectory] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[Half] = field(default_factory=list)


class TrajectorySampler:
    """Draws lines of thought. `same(left, right)` tells whether two answers are the same."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        same: Callable[[str, str], Awaitable[bool]],
    ) -> None:
        self._engine, self._policy, self._same = engine, policy, same
        self._reader = StepFeatureExtractor(engine)

    async def sample_trajectory(
        self, problem: Problem, expect: str, seed: int
    ) -> MeasuredTrajectory:
        """A line from its beginning; `expect` is the known answer."""
        return await self._grow(_Sprout(self._policy.start_trajectory(problem)), expect, seed)

    async def continue_trajectory(
        self, line: MeasuredTrajectory, steps: int, seed: int
    ) -> MeasuredTrajectory:
        """Another line that shares the first `steps` of this one."""
        sprout = _Sprout(line.prefixes[steps - 1])
        sprout.stops += line.prefixes[:steps]
        sprout.ends += line.ends[:steps]
        sprout.texts += line.step_texts[:steps]
        sprout.rows += line.step_features[:steps]
        return await self._grow(sprout, line.expect, seed)

    async def _grow(self, sprout: "_Sprout", expect: str, seed: int) -> MeasuredTrajectory:
        trajectory = sprout.path
        while not trajectory.is_done:
            begin = len(trajectory.tokens)
            trajectory = await self._policy.extend(trajectory, seed=seed)
            new = self._spoken(trajectory.tokens[begin:])
            if not new:
                continue
            sprout.ends.append(begin + len(new))
            sprout.texts.append(self._engine.detokenize(new))
            sprout.stops.append(trajectory)
            first, end = len(sprout.ends) - 1, sprout.ends[-1]
            kept = trajectory.truncated_to(end)
            features = await self._reader.extract_features(
                trajectory.prompt, kept.tokens, sprout.ends, first, statistics=kept.token_statistics
            )
            sprout.rows += [row.astype(np.float16) for row in features]
        final = extract_final_answer(trajectory.answer) if trajectory.answer else None
        right = final is not None and (final == expect or await self._same(final, expect))
        return MeasuredTrajectory(
            prefixes=(*sprout.stops[:-1], trajectory),
            ends=tuple(sprout.ends),
            step_texts=tuple(sprout.texts),
            step_features=tuple(sprout.rows),
            expect=expect,
            final=final,
            right=right,
        )

    def _spoken(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        """The tokens but for the one that ends the reply: no score stands there."""
        while tokens and self._engine.is_eog(tokens[-1]):
            tokens = tokens[:-1]
        return tokens
