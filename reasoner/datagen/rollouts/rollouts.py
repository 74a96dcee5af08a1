"""Rollouts: solutions of problems with known answers, and what became of each of their steps.

For each problem the policy draws some solutions. Where they disagree about the answer, it is
found out where one of the wrong ones went wrong. A solution that a person wrote, and right ones
with a step made wrong, cost no sampling, only reading.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import numpy.typing as npt

from reasoner.concurrency.gather import gather_all
from reasoner.datagen.rollouts.corrupt import corrupt_step
from reasoner.datagen.rollouts.draft import SolutionDraft, to_solutions
from reasoner.datagen.rollouts.exercises import Exercise
from reasoner.datagen.rollouts.search import find_error
from reasoner.datagen.rollouts.settings import RolloutPlan
from reasoner.datagen.rollouts.solution import Solution, Source
from reasoner.datagen.rollouts.trajectory import TrajectorySampler
from reasoner.engine.interface import Engine
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.doubts import StepFeatureExtractor
from reasoner.value.self_test import trajectory_of_steps

__all__ = ["SolutionMaker"]

Half = npt.NDArray[np.float16]
CALCULATOR_NOTE = re.compile(r"<<[^<>\n]*>>")
"""GSM8K's notes to a calculator, which no model writes."""
CONTINUATION_SEED_OFFSET = 10_000
"""Sets the seeds of continuations apart from those of samples."""


class SolutionMaker:
    """Makes the data of one exercise at a time; many may be under way at once."""

    def __init__(self, engine: Engine, plan: RolloutPlan) -> None:
        self._engine, self._plan = engine, plan
        self._reader = StepFeatureExtractor(engine)

    async def make_solutions(
        self, exercise: Exercise, grower: TrajectorySampler
    ) -> tuple[list[Solution], list[Half]]:
        """Draw, search, read and corrupt. The solutions count their rows from 0.

        Raises PromptTooLong, ContextFull or EngineError.
        """
        if exercise.judged:
            draft, *_ = await self._written(exercise, "judged", exercise.judged)
            return to_solutions(exercise, [draft])
        families = await gather_all(
            self._sample(exercise, grower, number) for number in range(self._plan.samples)
        )
        drafts = [draft for family in families for draft in family]
        drafts += await self._search(grower, [family[0] for family in families])
        if exercise.solution is not None:
            drafts += await self._human(exercise, exercise.solution)
        return to_solutions(exercise, drafts)

    async def _sample(
        self, exercise: Exercise, grower: TrajectorySampler, number: int
    ) -> list[SolutionDraft]:
        """A solution drawn and, when it is right, what is made wrong of it."""
        systems = self._plan.systems
        system = systems[number % len(systems)] if systems else None
        problem = Problem(question=exercise.question, system=system)
        line = await grower.sample_trajectory(problem, exercise.answer, number)
        draft = SolutionDraft(
            "sampled", line.step_texts, line.ends, line.step_features, system, measured=line
        )
        if not line.right:
            return [draft]
        # at once, while the cache still holds it
        prompt, tokens = line.trajectory.prompt, line.trajectory.tokens
        return [draft, *await self._corrupted(exercise, draft, prompt, tokens)]

    async def _search(
        self, grower: TrajectorySampler, drafts: Sequence[SolutionDraft]
    ) -> list[SolutionDraft]:
        """What was drawn to find the error of a wrong solution, where there are right ones too."""
        lines = [draft.measured for draft in drafts if draft.measured is not None]
        wrong = next(
            (d for d in drafts if d.measured and not d.measured.right and len(d.ends) > 1), None
        )
        if wrong is None or wrong.measured is None or not any(line.right for line in lines):
            return []
        if not self._plan.continuations:
            return []
        found = await find_error(
            grower, wrong.measured, self._plan.continuations, CONTINUATION_SEED_OFFSET
        )
        return [
            SolutionDraft(
                "sampled",
                x.step_texts,
                x.ends,
                x.step_features,
                wrong.system,
                origin=wrong,
                measured=x,
            )
            for x in found
        ]

    async def _human(self, exercise: Exercise, solution: str) -> list[SolutionDraft]:
        """The solution a person wrote, and what is made wrong of it."""
        steps = [CALCULATOR_NOTE.sub("", line).strip() for line in solution.split("\n")]
        draft, trajectory = await self._written(exercise, "human", list(filter(None, steps)))
        return [
            draft,
            *await self._corrupted(exercise, draft, trajectory.prompt, trajectory.tokens),
        ]

    async def _written(
        self, exercise: Exercise, source: Source, steps: Sequence[str]
    ) -> tuple[SolutionDraft, Trajectory]:
        """Somebody's steps, read as if the policy had written them."""
        trajectory = trajectory_of_steps(self._engine, Problem(question=exercise.question), steps)
        ends = tuple(int(end) for end in np.cumsum([step.tokens for step in trajectory.steps]))
        texts = tuple(
            self._engine.detokenize(trajectory.tokens[begin:end])
            for begin, end in pairwise((0, *ends))
        )
        rows = await self._read(trajectory.prompt, trajectory.tokens, ends)
        right = exercise.label == -1 if source == "judged" else None
        return SolutionDraft(source, texts, ends, rows, right=right), trajectory

    async def _corrupted(
        self, exercise: Exercise, draft: SolutionDraft, prompt: Sequence[int], tokens: Sequence[int]
    ) -> list[SolutionDraft]:
        """A right solution with steps made wrong, each by itself."""
        texts, found = draft.step_texts, list[SolutionDraft]()
        random = Random(f"{self._plan.seed}/{exercise.id}/{''.join(texts)}")  # noqa: S311
        for step in random.sample(range(len(texts)), len(texts)):
            if len(found) == self._plan.corruptions:
                break
            made = corrupt_step(texts[step], exercise.question + "".join(texts[:step]), random)
            if made is None:
                continue
            kept = tokens[: draft.ends[step - 1]] if step else ()
            changed = (*kept, *self._engine.tokenize(made.text, special=False))
            ends = (*draft.ends[:step], len(changed))
            rows = await self._read(prompt, changed, ends, step)
            said = (*texts[:step], made.text)
            found.append(
                SolutionDraft("corrupted", said, ends, rows, draft.system, draft, made.flaw)
            )
        return found

    async def _read(
        self, prompt: Sequence[int], tokens: Sequence[int], ends: Sequence[int], first: int = 0
    ) -> tuple[Half, ...]:
        """The features of the steps from `first` on."""
        features = await self._reader.extract_features(prompt, tokens, ends, first)
        return tuple(row.astype(np.float16) for row in features)
