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
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reasoner import Problem, Settings
from reasoner.metrics import auc
from reasoner.open_model import open_model, resolve
from reasoner.value.open import open_value_model
from reasoner.value.self_test import SELF_TEST_PAIRS, trajectory_of_steps

Floats = npt.NDArray[np.float64]


class Scored(NamedTuple):
    """One solution's scores, those of its right steps apart from that of its first wrong one."""

    right: tuple[float, ...]
    wrong: tuple[float, ...]
    tokens: int


def load(path: Path, count: int, seed: int) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    random.Random(seed).shuffle(rows)
    return rows[:count]


async def score_all(
    rows: Sequence[dict[str, Any]], settings: Settings, at_once: int, tested: bool
) -> list[Scored]:
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

        async def one(row: dict[str, Any]) -> Scored:
            async with gate:
                problem, scorer = Problem(question=row["problem"]), model.new_scorer()
                trajectory = trajectory_of_steps(model.engine, problem, row["steps"])
                scores = await scorer.score_steps(problem, trajectory)
                print(".", end="", file=sys.stderr, flush=True)
                return _labelled(scores, row["label"], scorer.decoded_tokens)

        return await asyncio.gather(*map(one, rows))


def _labelled(scores: tuple[float, ...], label: int, tokens: int) -> Scored:
    if label < 0:
        return Scored(scores, (), tokens)
    return Scored(scores[:label], scores[label : label + 1], tokens)


def pooled(scored: Sequence[Scored]) -> tuple[Floats, Floats]:
    right = [score for item in scored for score in item.right]
    wrong = [score for item in scored for score in item.wrong]
    return np.array(right), np.array(wrong)


def steps_auc(right: Floats, wrong: Floats) -> float:
    """Return the probability that a right step scores above a wrong one."""
    labels = np.concatenate((np.ones(len(right)), np.zeros(len(wrong))))
    return auc(np.concatenate((right, wrong)), labels)


def interval(scored: Sequence[Scored], seed: int, draws: int = 1000) -> tuple[float, float]:
    """The middle 95 % of the AUCs of as many problems drawn with replacement."""
    chosen = random.Random(seed)
    found: list[float] = []
    while len(found) < draws:
        right, wrong = pooled(chosen.choices(scored, k=len(scored)))
        if len(right) and len(wrong):
            found.append(steps_auc(right, wrong))
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def report(scored: Sequence[Scored], settings: Settings, seconds: float) -> None:
    right, wrong = pooled(scored)
    if not len(right) or not len(wrong):
        raise SystemExit("these problems hold no right or no wrong steps; raise --n")
    low, high = interval(scored, settings.seed)
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
    rows = load(options.data, options.n, options.seed)
    begun = monotonic()
    scored = asyncio.run(score_all(rows, settings, options.at_once, not options.untested))
    report(scored, settings, monotonic() - begun)


if __name__ == "__main__":
    main()
