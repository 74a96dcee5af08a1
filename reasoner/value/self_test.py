"""The self-test of value models: with an unsuitable format a model's scores are noise.

Pairs of a right and a wrong step are scored, and a model that cannot tell them apart is refused.
The pairs mirror each other (the right number of one is the wrong number of the next), so that a
preference for certain numbers does not suffice.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from reasoner.engine.interface import Engine
from reasoner.errors import ModelError
from reasoner.models.format import StepPair
from reasoner.policy.chat_template import render_prompt
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Step, Trajectory
from reasoner.value.model import ValueModel

__all__ = ["SELF_TEST_PAIRS", "Trial", "run_self_test", "trajectory_of_steps"]


SELF_TEST_PAIRS = (
    StepPair("What is 2 + 2?", "2 + 2 = 4", "2 + 2 = 5"),
    StepPair("What is 2 + 3?", "2 + 3 = 5", "2 + 3 = 4"),
    StepPair("What is 6 * 7?", "6 * 7 = 42", "6 * 7 = 36"),
    StepPair("What is 6 * 6?", "6 * 6 = 36", "6 * 6 = 42"),
    StepPair("What is 15 - 8?", "15 - 8 = 7", "15 - 8 = 9"),
    StepPair("What is 15 - 6?", "15 - 6 = 9", "15 - 6 = 7"),
)
MIN_ORDERED_SHARE = 0.8
"""The share of pairs whose right step must have the higher score; chance gives one half."""
MIN_MEAN_MARGIN = 0.02
"""The margin by which the mean score of the right steps must exceed that of the wrong ones."""


class Trial(NamedTuple):
    """Mean scores of the right and of the wrong steps, and the share of correctly ordered pairs."""

    right_mean: float
    wrong_mean: float
    ordered_share: float

    @property
    def passed(self) -> bool:
        """Whether the scores tell right steps from wrong ones."""
        return (
            self.ordered_share >= MIN_ORDERED_SHARE
            and self.right_mean - self.wrong_mean >= MIN_MEAN_MARGIN
        )


async def run_self_test(model: ValueModel, pairs: Sequence[StepPair] = SELF_TEST_PAIRS) -> Trial:
    """Run the self-test on these pairs, or on those of the model's format where it has any.

    Raises ModelError when the model cannot tell right steps from wrong ones.
    """
    pairs = model.value_format.trial or pairs
    good = await asyncio.gather(*(_score(model, pair.question, pair.good) for pair in pairs))
    bad = await asyncio.gather(*(_score(model, pair.question, pair.bad) for pair in pairs))
    right = sum(better > worse for better, worse in zip(good, bad, strict=True))
    result = Trial(sum(good) / len(good), sum(bad) / len(bad), right / len(pairs))
    if not result.passed:
        raise ModelError(
            f"{model.name} with the format {model.value_format.name} cannot tell right steps "
            f"(mean score {result.right_mean:.3f}) from wrong ones ({result.wrong_mean:.3f}): "
            f"{right} of {len(pairs)} pairs in order; choose another --value-format or --value "
            "model"
        )
    return result


async def _score(model: ValueModel, question: str, step: str) -> float:
    problem = Problem(question=question)
    trajectory = trajectory_of_steps(
        model.engine, problem, [step], special=bool(model.value_format.trial)
    )
    return (await model.new_scorer().score_steps(problem, trajectory))[0]


def trajectory_of_steps(
    engine: Engine, problem: Problem, steps: Sequence[str], *, special: bool = False
) -> Trajectory:
    """A trajectory with these steps, one paragraph each, as the engine's model tokenises them.

    With `special`, the names of control tokens in the steps become control tokens.
    """
    messages = [*problem.history, Message(role="user", content=problem.question)]
    template = engine.chat_template
    text = render_prompt(template, messages) if template else f"{problem.question}\n\n"
    tokens: list[int] = []
    steps_with_tokens = []
    for index, step in enumerate(steps):
        gap = "\n\n" if index + 1 < len(steps) else ""
        step_tokens = engine.tokenize(step + gap, special=special)
        tokens += step_tokens
        steps_with_tokens.append(Step(text=step, tokens=len(step_tokens)))
    prompt = engine.tokenize_prompt([text])
    return Trajectory(prompt=tuple(prompt), tokens=tuple(tokens), steps=tuple(steps_with_tokens))
