"""The self-test of a value model: a format that does not suit its model scores noise, silently.

Pairs of steps of which one is right and one is wrong are scored; who cannot tell them apart is
refused. The pairs mirror each other (what is right in one is wrong in the next), so that liking
a number is not enough.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from reasoner.engine.engine import Engine
from reasoner.engine.template import render
from reasoner.errors import ModelError
from reasoner.models.format import Pair
from reasoner.path import Path, Step
from reasoner.problem import Message, Problem
from reasoner.value.model import ValueModel

__all__ = ["PAIRS", "Trial", "on_trial", "written"]


PAIRS = (
    Pair("What is 2 + 2?", "2 + 2 = 4", "2 + 2 = 5"),
    Pair("What is 2 + 3?", "2 + 3 = 5", "2 + 3 = 4"),
    Pair("What is 6 * 7?", "6 * 7 = 42", "6 * 7 = 36"),
    Pair("What is 6 * 6?", "6 * 6 = 36", "6 * 6 = 42"),
    Pair("What is 15 - 8?", "15 - 8 = 7", "15 - 8 = 9"),
    Pair("What is 15 - 6?", "15 - 6 = 9", "15 - 6 = 7"),
)
PASS_SHARE = 0.8
"""How many of the pairs must come out in the right order; chance gives half."""
MARGIN = 0.02
"""By how much the right steps must lead in the mean."""


class Trial(NamedTuple):
    """Mean scores of the right and of the wrong steps, and the share of pairs in order."""

    good: float
    bad: float
    share: float

    @property
    def passed(self) -> bool:
        return self.share >= PASS_SHARE and self.good - self.bad >= MARGIN


async def on_trial(model: ValueModel, pairs: Sequence[Pair] = PAIRS) -> Trial:
    """Score the pairs, or those of the model's format. Raises ModelError unless the model tells
    right from wrong."""
    pairs = model.form.trial or pairs
    good = await asyncio.gather(*(_score(model, pair.question, pair.good) for pair in pairs))
    bad = await asyncio.gather(*(_score(model, pair.question, pair.bad) for pair in pairs))
    right = sum(better > worse for better, worse in zip(good, bad, strict=True))
    trial = Trial(sum(good) / len(good), sum(bad) / len(bad), right / len(pairs))
    if not trial.passed:
        raise ModelError(
            f"{model.name} with the format {model.form.name} cannot tell right steps "
            f"(mean score {trial.good:.3f}) from wrong ones ({trial.bad:.3f}): {right} of "
            f"{len(pairs)} pairs in order; choose another --value-format or --value model"
        )
    return trial


async def _score(model: ValueModel, question: str, step: str) -> float:
    problem = Problem(question=question)
    path = written(model.engine, problem, [step], special=bool(model.form.trial))
    return (await model.scorer().score(problem, path))[0]


def written(
    engine: Engine, problem: Problem, steps: Sequence[str], *, special: bool = False
) -> Path:
    """A path of these steps as the engine's model would have written them, paragraphs each; with
    `special` control tokens' names in them are control tokens."""
    messages = [*problem.history, Message(role="user", content=problem.question)]
    template = engine.chat_template
    text = render(template, messages) if template else f"{problem.question}\n\n"
    tokens: list[int] = []
    made = []
    for index, step in enumerate(steps):
        gap = "\n\n" if index + 1 < len(steps) else ""
        new = engine.tokenize(step + gap, special=special)
        tokens += new
        made.append(Step(text=step, tokens=len(new)))
    prompt = engine.tokenize(text)
    return Path(prompt=tuple(prompt), tokens=tuple(tokens), steps=tuple(made))
