"""How well a value model tells right steps from wrong ones: AUC on ProcessBench.

    python -m bench.value DATA.jsonl --value MODEL [--n 100] [--seed 0] [--model NAME]
                          [--value-format NAME] [--value-head FILE] [--untested]

Each line of DATA has `problem`, `steps` and `label`, the index of the first wrong step or -1. Steps
before it are right, it is wrong, and those after it are left out. The AUC is the chance that a
right step scores above a wrong one, over all steps together; the 95 % interval comes from drawing
whole problems anew, a thousand times. `--untested` measures models that the self-test refuses.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.json_lines import JsonRow, read_json_lines
from reasoner import Problem, Settings
from reasoner.metrics import auc
from reasoner.open_model import open_model, resolve
from reasoner.value.open import open_value_model
from reasoner.value.self_test import SELF_TEST_PAIRS, trajectory_of_steps

Floats = npt.NDArray[np.float64]


class ScoredSolution(NamedTuple):
    """The scores of a solution's right steps, the score of its first wrong one, if it has one, and
    the tokens decoded for them."""

    right: tuple[float, ...]
    wrong: tuple[float, ...]
    tokens: int


def load_solutions(path: Path, count: int, seed: int) -> list[JsonRow]:
    """Return the first `count` rows of a shuffle. Raises SystemExit without the file."""
    rows = read_json_lines(path)
    random.Random(seed).shuffle(rows)
    return rows[:count]


async def score_all(
    rows: Sequence[JsonRow], settings: Settings, at_once: int, tested: bool
) -> list[ScoredSolution]:
    """Return the scores of each solution, `at_once` at a time; `tested` refuses a model that fails
    the self-test."""

    def notice(text: str) -> None:
        print(text, file=sys.stderr)

    gate = asyncio.Semaphore(at_once)
    resolved = await resolve(settings.model, settings, notice)
    async with (
        open_model(resolved, settings, notice, keep_prompts=False) as policy,
        open_value_model(
            settings, policy, notice, pairs=SELF_TEST_PAIRS if tested else ()
        ) as model,
    ):
        assert model is not None

        async def score_solution(row: JsonRow) -> ScoredSolution:
            async with gate:
                problem, scorer = Problem(question=row["problem"]), model.new_scorer()
                trajectory = trajectory_of_steps(model.engine, problem, row["steps"])
                scores = await scorer.score_steps(problem, trajectory)
                print(".", end="", file=sys.stderr, flush=True)
                return _scored_solution(scores, row["label"], scorer.decoded_tokens)

        return await asyncio.gather(*map(score_solution, rows))


def _scored_solution(scores: tuple[float, ...], label: int, tokens: int) -> ScoredSolution:
    if label < 0:
        return ScoredSolution(scores, (), tokens)
    return ScoredSolution(scores[:label], scores[label : label + 1], tokens)


def pooled_scores(scored: Sequence[ScoredSolution]) -> tuple[Floats, Floats]:
    """Return the scores of all right steps and of all wrong ones."""
    right = [score for item in scored for score in item.right]
    wrong = [score for item in scored for score in item.wrong]
    return np.array(right), np.array(wrong)


def steps_auc(right: Floats, wrong: Floats) -> float:
    """Return the probability that a right step scores above a wrong one."""
    labels = np.concatenate((np.ones(len(right)), np.zeros(len(wrong))))
    return auc(np.concatenate((right, wrong)), labels)


def bootstrap_interval(
    scored: Sequence[ScoredSolution], seed: int, draws: int = 1000
) -> tuple[float, float]:
    """Return the middle 95 % of the AUCs of as many solutions drawn with replacement."""
    generator = random.Random(seed)
    aucs: list[float] = []
    while len(aucs) < draws:
        right, wrong = pooled_scores(generator.choices(scored, k=len(scored)))
        if len(right) and len(wrong):
            aucs.append(steps_auc(right, wrong))
    return float(np.quantile(aucs, 0.025)), float(np.quantile(aucs, 0.975))


def print_report(scored: Sequence[ScoredSolution], settings: Settings, seconds: float) -> None:
    """Print the AUC with its interval. Raises SystemExit if right or wrong steps are missing."""
    right, wrong = pooled_scores(scored)
    if not len(right) or not len(wrong):
        raise SystemExit("these problems hold no right or no wrong steps; raise --n")
    low, high = bootstrap_interval(scored, settings.seed)
    tokens = sum(item.tokens for item in scored)
    print(
        f"\n{settings.value} ({settings.value_format or 'its own format'}), policy "
        f"{settings.model}, n {len(scored)}, seed {settings.seed}: "
        f"AUC {steps_auc(right, wrong):.3f} [{low:.3f}, {high:.3f}]; "
        f"{len(right)} right steps at {right.mean():.3f}, "
        f"{len(wrong)} wrong at {wrong.mean():.3f}; "
        f"{tokens / len(scored):.0f} tokens each, {seconds:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--value", required=True, help="a model, or self")
    parser.add_argument("--value-format")
    parser.add_argument("--value-head", type=Path)
    parser.add_argument("--model", help="the policy")
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--untested", action="store_true")
    options = parser.parse_args()
    names = ("value", "value_format", "value_head", "model", "seed")
    settings = Settings.load(**{name: getattr(options, name) for name in names})
    rows = load_solutions(options.data, options.n, options.seed)
    start_time = monotonic()
    scored = asyncio.run(score_all(rows, settings, options.at_once, not options.untested))
    print_report(scored, settings, monotonic() - start_time)


if __name__ == "__main__":
    main()
