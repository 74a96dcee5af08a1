"""Number puzzles: Tree of Thoughts, and best-of-N with as many tokens.

    python -m bench.game24 DATA.jsonl --out ROWS.jsonl [--n 100] [--seed 0] [--model NAME]
                           [--strategy tot-dfs] [--set states=150 …] [--at-once 8]

Each line of DATA has `id`, `numbers` and `target`; the first N are asked, several at once, first
with the strategy, then with best-of-N, which gets for every puzzle the mean of the tokens that the
strategy needed. Right means that the formula in the answer uses exactly the given numbers and
makes the target. Tokens are all that were written, those that a search placed included; tokens
read are what no cache held of the prompts. Seconds are those from question to answer with that
many puzzles at once, and these divided by their number. The intervals are Wilson's.

Every puzzle is appended to ROWS as it is done, and a run that is started again goes on from there.
A file of another model, seed or parameters is refused.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from pydantic import BaseModel, ConfigDict, ValidationError

from reasoner import Problem, Settings
from reasoner.cli.options.pairs import parse_pairs
from reasoner.metrics import wilson_interval
from reasoner.solver.local import LocalSolver
from reasoner.types.result import Result

BASELINE = "best-of-n"
MOST_LINES = 256


class Puzzle(BaseModel):
    """One line of DATA."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    numbers: tuple[int, ...]
    target: int

    @property
    def problem(self) -> Problem:
        return Problem(question=f"Use {' '.join(map(str, self.numbers))} to make {self.target}")


class Row(BaseModel):
    """What came of one puzzle: `steps` and `answer` are the model's, `plan` is how it was asked."""

    strategy: str
    plan: str
    id: str
    right: bool
    tokens: int
    read: int
    seconds: float
    at_once: int
    steps: tuple[str, ...]
    answer: str


def load(data: Path, count: int) -> list[Puzzle]:
    """The first puzzles of the file."""
    try:
        lines = data.read_text("utf-8").splitlines()
    except OSError as error:
        raise SystemExit(f"{data}: {error.strerror}") from error
    return [Puzzle.model_validate_json(line) for line in lines[:count]]


async def ask(puzzles: Sequence[Puzzle], settings: Settings, at_once: int, out: Path) -> None:
    """Answer the puzzles, and append each to the file."""
    gate = asyncio.Semaphore(at_once)
    with out.open("a", encoding="utf-8") as stream:
        async with LocalSolver(settings) as solver:

            async def one(puzzle: Puzzle) -> None:
                async with gate:
                    result = await solver.solve(puzzle.problem)
                row = _row(puzzle, result, plan_of(settings), at_once)
                stream.write(row.model_dump_json() + "\n")
                stream.flush()
                print("+" if row.right else "-", end="", file=sys.stderr, flush=True)

            await asyncio.gather(*map(one, puzzles))


def plan_of(settings: Settings) -> str:
    """What rows that are told together have in common, beside the strategy."""
    budget = f", {settings.search_budget} tokens" if settings.search_budget else ""
    return f"{settings.model}, seed {settings.seed}, {settings.strategy_options}{budget}"


def _row(puzzle: Puzzle, result: Result, plan: str, at_once: int) -> Row:
    usage = result.usage
    return Row(
        strategy=result.strategy,
        plan=plan,
        id=puzzle.id,
        right=any(v.verifier == "number_puzzle" and v.outcome == "pass" for v in result.verdicts),
        tokens=usage.completion_tokens + usage.tool_tokens + usage.value_tokens,
        read=usage.decoded_tokens,
        seconds=usage.seconds,
        at_once=at_once,
        steps=tuple(step.text for step in result.reasoning),
        answer=result.answer,
    )


def done(out: Path, strategy: str, plan: str) -> list[Row]:
    """What the file holds of a strategy."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    try:
        rows = [row for row in map(Row.model_validate_json, lines) if row.strategy == strategy]
    except ValidationError as error:
        raise SystemExit(f"{out} is no file of this benchmark: give another to --out") from error
    if any(row.plan != plan for row in rows):
        raise SystemExit(f"{out} keeps {strategy} asked in another way: give another file to --out")
    return rows


def missing(puzzles: Sequence[Puzzle], rows: Sequence[Row]) -> list[Puzzle]:
    known = {row.id for row in rows}
    return [puzzle for puzzle in puzzles if puzzle.id not in known]


def report(rows: Sequence[Row]) -> str:
    right, count = sum(row.right for row in rows), len(rows)
    low, high = wilson_interval(right, count)
    alone = fmean(row.seconds / row.at_once for row in rows)
    score = f"{right} of {count} right, {right / count:.1%} [{low:.1%}, {high:.1%}]"
    return (
        f"{rows[0].strategy}: {score}; "
        f"tokens {fmean(row.tokens for row in rows):.0f} each, median "
        f"{median(row.tokens for row in rows):.0f}; read {fmean(row.read for row in rows):.0f}; "
        f"{fmean(row.seconds for row in rows):.1f} s each with {rows[0].at_once} at once, "
        f"so {alone:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--strategy", default="tot-dfs")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--alone", action="store_true", help="leave best-of-N out")
    options = parser.parse_args()
    puzzles = load(options.data, options.n)
    wanted = {puzzle.id for puzzle in puzzles}
    searched = {"states": 150} if options.strategy == "tot-dfs" else {}
    plans = {options.strategy: searched | parse_pairs(options.set, "--set", "states=150")}
    if not options.alone:
        plans[BASELINE] = {"n": MOST_LINES}
    budget = None
    for strategy, parameters in plans.items():
        settings = Settings.load(
            model=options.model,
            seed=options.seed,
            strategy=strategy,
            strategy_options=parameters,
            search_budget=budget,
        )
        if left := missing(puzzles, done(options.out, strategy, plan_of(settings))):
            asyncio.run(ask(left, settings, options.at_once, options.out))
        rows = [row for row in done(options.out, strategy, plan_of(settings)) if row.id in wanted]
        print(f"\n{plan_of(settings)}: {report(rows)}", flush=True)
        budget = round(fmean(row.tokens for row in rows))


if __name__ == "__main__":
    main()
