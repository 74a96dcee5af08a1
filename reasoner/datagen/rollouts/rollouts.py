"""Solutions of problems with known answers, and labels for their steps.

The policy samples some solutions of each problem. Where they disagree about the answer, the first
wrong step of one is searched for. Human solutions, and right solutions with a corrupted step, need
no sampling; their features are computed from their tokens.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import numpy.typing as npt

from reasoner.concurrency.gather import gather_all
from reasoner.datagen.rollouts.corrupt import corrupt_step
from reasoner.datagen.rollouts.draft import SolutionDraft, sampled_draft, to_solutions
from reasoner.datagen.rollouts.exercises import Exercise
from reasoner.datagen.rollouts.search import find_error
from reasoner.datagen.rollouts.settings import RolloutPlan
from reasoner.datagen.rollouts.solution import Solution, Source
from reasoner.datagen.rollouts.trajectory import TrajectorySampler
from reasoner.engine.interface import Engine
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.self_test import trajectory_of_steps
from reasoner.value.step_features import StepFeatureExtractor

__all__ = ["SolutionMaker"]

Half = npt.NDArray[np.float16]
CALCULATOR_NOTE = re.compile(r"<<[^<>\n]*>>")
"""The calculator annotations of GSM8K, which are no part of the solution's text."""
CONTINUATION_SEED_OFFSET = 10_000
"""Added to the seeds of continuations, so that they differ from those of samples."""


class SolutionMaker:
    """Makes the solutions of exercises, several of which may be under way at once."""

    def __init__(self, engine: Engine, plan: RolloutPlan) -> None:
        self._engine, self._plan = engine, plan
        self._extractor = StepFeatureExtractor(engine)

    async def make_solutions(
        self, exercise: Exercise, sampler: TrajectorySampler
    ) -> tuple[list[Solution], list[Half]]:
        """Return the solutions of an exercise, and the rows of features that they number from 0.

        Raises PromptTooLong, ContextFull or EngineError.
        """
        if exercise.judged:
            draft, *_ = await self._read_steps(exercise, "judged", exercise.judged)
            return to_solutions(exercise, [draft])
        groups = await gather_all(
            self._sample(exercise, sampler, number) for number in range(self._plan.samples)
        )
        drafts = [draft for group in groups for draft in group]
        drafts += await self._search_error(sampler, [group[0] for group in groups])
        if exercise.solution is not None:
            drafts += await self._read_human_solution(exercise, exercise.solution)
        return to_solutions(exercise, drafts)

    async def _sample(
        self, exercise: Exercise, sampler: TrajectorySampler, number: int
    ) -> list[SolutionDraft]:
        """Return a sampled solution and, when it is right, corrupted copies of it."""
        systems = self._plan.systems
        system = systems[number % len(systems)] if systems else None
        problem = Problem(question=exercise.question, system=system)
        measured = await sampler.sample_trajectory(problem, exercise.answer, number)
        draft = sampled_draft(measured, system)
        if not measured.right:
            return [draft]
        # at once, while the cache still holds the trajectory
        prompt, tokens = measured.trajectory.prompt, measured.trajectory.tokens
        return [draft, *await self._corrupt(exercise, draft, prompt, tokens)]

    async def _search_error(
        self, sampler: TrajectorySampler, drafts: Sequence[SolutionDraft]
    ) -> list[SolutionDraft]:
        """Return the continuations that find the first error of a wrong solution, if some of the
        solutions are right and one is wrong."""
        trajectories = [draft.measured for draft in drafts if draft.measured is not None]
        wrong = next(
            (d for d in drafts if d.measured and not d.measured.right and len(d.ends) > 1), None
        )
        if wrong is None or wrong.measured is None or not self._plan.continuations:
            return []
        if not any(trajectory.right for trajectory in trajectories):
            return []
        continuations = await find_error(
            sampler, wrong.measured, self._plan.continuations, CONTINUATION_SEED_OFFSET
        )
        return [
            sampled_draft(continuation, wrong.system, origin=wrong)
            for continuation in continuations
        ]

    async def _read_human_solution(self, exercise: Exercise, solution: str) -> list[SolutionDraft]:
        """Return a human solution and corrupted copies of it."""
        lines = [CALCULATOR_NOTE.sub("", line).strip() for line in solution.split("\n")]
        steps = list(filter(None, lines))
        draft, trajectory = await self._read_steps(exercise, "human", steps)
        prompt, tokens = trajectory.prompt, trajectory.tokens
        return [draft, *await self._corrupt(exercise, draft, prompt, tokens)]

    async def _read_steps(
        self, exercise: Exercise, source: Source, steps: Sequence[str]
    ) -> tuple[SolutionDraft, Trajectory]:
        """Return the given steps as a draft and as a trajectory of the policy."""
        trajectory = trajectory_of_steps(self._engine, Problem(question=exercise.question), steps)
        ends = tuple(int(end) for end in np.cumsum([step.tokens for step in trajectory.steps]))
        texts = tuple(
            self._engine.detokenize(trajectory.tokens[start:end])
            for start, end in pairwise((0, *ends))
        )
        features = await self._extract_features(trajectory.prompt, trajectory.tokens, ends)
        right = exercise.label == -1 if source == "judged" else None
        return SolutionDraft(source, texts, ends, features, right=right), trajectory

    async def _corrupt(
        self, exercise: Exercise, draft: SolutionDraft, prompt: Sequence[int], tokens: Sequence[int]
    ) -> list[SolutionDraft]:
        """Return copies of a right solution that end with a corrupted step."""
        texts, drafts = draft.step_texts, list[SolutionDraft]()
        random = Random(f"{self._plan.seed}/{exercise.id}/{''.join(texts)}")  # noqa: S311
        for step in random.sample(range(len(texts)), len(texts)):
            if len(drafts) == self._plan.corruptions:
                break
            context = exercise.question + "".join(texts[:step])
            corrupted = corrupt_step(texts[step], context, random)
            if corrupted is None:
                continue
            prefix = tokens[: draft.ends[step - 1]] if step else ()
            new_tokens = (*prefix, *self._engine.tokenize(corrupted.text, special=False))
            ends = (*draft.ends[:step], len(new_tokens))
            features = await self._extract_features(prompt, new_tokens, ends, step)
            new_texts = (*texts[:step], corrupted.text)
            drafts.append(
                SolutionDraft(
                    "corrupted", new_texts, ends, features, draft.system, draft, corrupted.flaw
                )
            )
        return drafts

    async def _extract_features(
        self, prompt: Sequence[int], tokens: Sequence[int], ends: Sequence[int], first: int = 0
    ) -> tuple[Half, ...]:
        """Return the rows of features of the steps from number `first` on."""
        features = await self._extractor.extract_features(prompt, tokens, ends, first)
        return tuple(row.astype(np.float16) for row in features)
