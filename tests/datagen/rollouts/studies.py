"""Rollouts with a signal planted in their features, for tests of what is trained on them."""

from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from reasoner.datagen.rollouts.ledger import SolutionFile
from reasoner.datagen.rollouts.solution import Solution, Source

__all__ = ["write_study"]

STEPS = 3


def write_study(
    path: Path,
    *,
    problems: int = 40,
    width: int = 128,
    signal: float = 2.0,
    sha256: str = "ab" * 32,
) -> Path:
    """Each problem has a right and a wrong sampled solution and one that a person wrote; the
    first number of a wrong step's state is lower by `signal`, the rest is noise of its own and
    of its problem."""
    random, draw = Random(0), np.random.default_rng(0)
    facts = {"model_sha256": sha256, "seed": 0}
    with SolutionFile(path, facts, width) as ledger:
        for index in range(problems):
            common = draw.standard_normal(width)
            error = random.randrange(STEPS)
            made: list[tuple[Source, int]]
            made = [("sampled", STEPS), ("sampled", error), ("human", STEPS)]
            features: list[npt.NDArray[np.float16]] = []
            solutions: list[Solution] = []
            for number, (source, first_wrong) in enumerate(made):
                right = first_wrong == STEPS
                begin = len(features)
                for step in range(STEPS):
                    state = common + draw.standard_normal(width)
                    state[0] = draw.standard_normal() - (signal if step >= first_wrong else 0)
                    features.append(state.astype(np.float16))
                counts = tuple((int(step < first_wrong), 3) for step in range(STEPS))
                solutions.append(
                    Solution(
                        problem=f"p{index}",
                        number=number,
                        source=source,
                        question="?",
                        answer="4",
                        steps=("1 + 1 = 2",) * STEPS,
                        ends=(1, 2, 3),
                        right=None if source == "human" else right,
                        counts=() if source == "human" else counts,
                        features=tuple(range(begin, begin + STEPS)),
                    )
                )
            ledger.add_solutions(solutions, features, 100)
    return path
