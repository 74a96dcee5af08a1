"""What contenders made of problems: kept line by line, and told side by side."""

import math
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from reasoner.metrics import wilson_interval

LINE_PREFIX = '{"id":'
"""What every kept line begins with."""


class ContenderResult(BaseModel):
    """What a contender made of a problem. `seconds` are since it was done with the one before: they
    add up to its wall-clock, however many it works on at once."""

    id: str
    by: str
    right: bool
    seconds: float


def print_comparison(trials: Sequence[ContenderResult], names: Sequence[str], seed: int) -> None:
    """A line for each contender, the first of them being what the others are measured against,
    over the problems that all have answered."""
    made = {name: {trial.id: trial for trial in trials if trial.by == name} for name in names}
    shared = [id for id in made[names[0]] if all(id in made[name] for name in names)]
    if not shared:
        raise SystemExit("no problem was answered by all")
    ours, *others = names
    print(
        f"\n\n| {len(shared)} problems, seed {seed} | right | s each | s in all | against {ours} |"
    )
    print("|---|---|---|---|---|")
    base = [made[ours][id] for id in shared]
    print(f"| {ours} | {_summary(base)} | |")
    for name in others:
        theirs = [made[name][id] for id in shared]
        print(f"| {name} | {_summary(theirs)} | {compare_with_base(theirs, base)} |")


def _summary(trials: Sequence[ContenderResult]) -> str:
    right, count = sum(trial.right for trial in trials), len(trials)
    low, high = wilson_interval(right, count)
    seconds = sum(trial.seconds for trial in trials)
    share = f"{right} ({right / count:.1%} [{low:.1%}, {high:.1%}])"
    return f"{share} | {seconds / count:.1f} | {seconds:.0f}"


def compare_with_base(trials: Sequence[ContenderResult], base: Sequence[ContenderResult]) -> str:
    """Problems won and lost, what this comes to in points (95 %, paired), and the time it took."""
    pairs = list(zip(trials, base, strict=True))
    won = sum(one.right > other.right for one, other in pairs)
    lost = sum(one.right < other.right for one, other in pairs)
    points = (won - lost) / len(pairs)
    half = 1.96 * math.sqrt(won + lost - (won - lost) ** 2 / len(pairs)) / len(pairs)
    low, high = (f"{100 * end:+.0f}" for end in (points - half, points + half))
    longer = sum(one.seconds for one in trials) / sum(one.seconds for one in base)
    said = f"{won} won, {lost} lost: {100 * points:+.0f} [{low}, {high}]"
    return f"{said}, {longer:.1f} times as long"


async def collect_results(
    trials: AsyncIterator[ContenderResult], kept: list[ContenderResult], out: TextIO | None
) -> None:
    """Take trials as they come, and write each down."""
    async for trial in trials:
        kept.append(trial)
        print("+" if trial.right else "-", end="", file=sys.stderr, flush=True)
        if out:
            out.write(f"{trial.model_dump_json()}\n")
            out.flush()


def load_results(
    path: Path | None, ids: Collection[str], names: Sequence[str]
) -> list[ContenderResult]:
    """What the file holds; a run that was ended while it wrote may have left a part of a line.

    A file that holds anything else is refused, and stays as it is.
    """
    if path is None or not path.exists():
        return []
    try:
        whole, _, rest = path.read_text("utf-8").rpartition("\n")
        trials = [ContenderResult.model_validate_json(line) for line in whole.splitlines()]
        if not LINE_PREFIX.startswith(rest[: len(LINE_PREFIX)]):
            raise ValueError("its end is no part of a trial")
        if any(trial.id not in ids or trial.by not in names for trial in trials):
            raise ValueError("its trials are not of these problems and contenders")
    except ValueError as error:
        raise SystemExit(f"{path} keeps another comparison: give another file to --out") from error
    if rest:
        path.write_text(f"{whole}\n" if whole else "", "utf-8")
    return list({(trial.id, trial.by): trial for trial in trials}.values())
