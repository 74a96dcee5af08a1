"""Number puzzles: Tree of Thoughts, and best-of-N with as many tokens.

    python -m bench.game24 DATA.jsonl --out ROWS.jsonl [--n 100] [--seed 0] [--model NAME]
                           [--strategy tot-dfs] [--set states=150 …] [--at-once 8]

Each line of DATA has `id`, `numbers` and `target`; the first N are asked, several at once, first
with the strategy, then with best-of-N, which gets for every puzzle the mean of the tokens that the
strategy needed. Right means that the formula in the answer uses exactly the given numbers and
makes the target. Tokens are all generated ones, those that a search placed included; tokens read
are those of prompts that no cache had. Seconds are those from question to answer with that
many puzzles at once, and these divided by their number. The intervals are Wilson's.

Every answer is appended to ROWS, and a run that is started again continues from there. A file of
another model, seed or parameters is refused.
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

BASELINE_STRATEGY = "best-of-n"
MAX_CANDIDATES = 256


class PuzzleItem(BaseModel):
    """One line of DATA."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    numbers: tuple[int, ...]
    target: int

    @property
    def problem(self) -> Problem:
        """The puzzle as a question."""
        return Problem(question=f"Use {' '.join(map(str, self.numbers))} to make {self.target}")


class PuzzleRecord(BaseModel):
    """One answer: `steps` and `answer` are the model's, `plan` names the settings, `read` counts
    the prefilled tokens."""

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


def load_puzzles(data: Path, count: int) -> list[PuzzleItem]:
    """Return the first puzzles of the file. Raises SystemExit when it cannot be read."""
    try:
        lines = data.read_text("utf-8").splitlines()
    except OSError as error:
        raise SystemExit(f"{data}: {error.strerror}") from error
    return [PuzzleItem.model_validate_json(line) for line in lines[:count]]


async def answer_puzzles(
    puzzles: Sequence[PuzzleItem], settings: Settings, at_once: int, out: Path
) -> None:
    """Answer the puzzles, `at_once` at a time, and append each answer to the file."""
    gate = asyncio.Semaphore(at_once)
    with out.open("a", encoding="utf-8") as stream:
        async with LocalSolver(settings) as solver:

            async def answer_puzzle(puzzle: PuzzleItem) -> None:
                async with gate:
                    result = await solver.solve(puzzle.problem)
                record = _record(puzzle, result, plan_text(settings), at_once)
                stream.write(record.model_dump_json() + "\n")
                stream.flush()
                print("+" if record.right else "-", end="", file=sys.stderr, flush=True)

            await asyncio.gather(*map(answer_puzzle, puzzles))


def plan_text(settings: Settings) -> str:
    """Return what the records of one measurement have in common besides the strategy."""
    budget = f", {settings.search_budget} tokens" if settings.search_budget else ""
    return f"{settings.model}, seed {settings.seed}, {settings.strategy_options}{budget}"


def _record(puzzle: PuzzleItem, result: Result, plan: str, at_once: int) -> PuzzleRecord:
    usage = result.usage
    return PuzzleRecord(
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


def load_records(out: Path, strategy: str, plan: str) -> list[PuzzleRecord]:
    """Return the records of a strategy in the file. Raises SystemExit when the file has others than
    those of this benchmark and plan."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    try:
        records = [PuzzleRecord.model_validate_json(line) for line in lines]
    except ValidationError as error:
        raise SystemExit(f"{out} is no file of this benchmark: give another to --out") from error
    records = [record for record in records if record.strategy == strategy]
    if any(record.plan != plan for record in records):
        raise SystemExit(f"{out} keeps {strategy} asked in another way: give another file to --out")
    return records


def unanswered_puzzles(
    puzzles: Sequence[PuzzleItem], records: Sequence[PuzzleRecord]
) -> list[PuzzleItem]:
    """Return the puzzles without a record."""
    answered_ids = {record.id for record in records}
    return [puzzle for puzzle in puzzles if puzzle.id not in answered_ids]


def summary_line(records: Sequence[PuzzleRecord]) -> str:
    """Return the figures of a strategy in one line."""
    right, count = sum(record.right for record in records), len(records)
    low, high = wilson_interval(right, count)
    seconds_alone = fmean(record.seconds / record.at_once for record in records)
    score = f"{right} of {count} right, {right / count:.1%} [{low:.1%}, {high:.1%}]"
    return (
        f"{records[0].strategy}: {score}; "
        f"tokens {fmean(record.tokens for record in records):.0f} each, median "
        f"{median(record.tokens for record in records):.0f}; "
        f"read {fmean(record.read for record in records):.0f}; "
        f"{fmean(record.seconds for record in records):.1f} s each "
        f"with {records[0].at_once} at once, so {seconds_alone:.1f} s"
    )


def measure_strategy(
    puzzles: Sequence[PuzzleItem], settings: Settings, at_once: int, out: Path
) -> int:
    """Answer the puzzles that have no record, print the figures, and return the mean tokens."""
    plan = plan_text(settings)
    records = load_records(out, settings.strategy, plan)
    if remaining_puzzles := unanswered_puzzles(puzzles, records):
        asyncio.run(answer_puzzles(remaining_puzzles, settings, at_once, out))
    puzzle_ids = {puzzle.id for puzzle in puzzles}
    records = load_records(out, settings.strategy, plan)
    records = [record for record in records if record.id in puzzle_ids]
    print(f"\n{plan}: {summary_line(records)}", flush=True)
    return round(fmean(record.tokens for record in records))


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
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
    return parser.parse_args()


def main() -> None:
    """Measure the strategy, and then best-of-N with as many tokens."""
    options = parse_options()
    puzzles = load_puzzles(options.data, options.n)
    default_parameters = {"states": 150} if options.strategy == "tot-dfs" else {}
    given_parameters = parse_pairs(options.set, "--set", "states=150")
    plans = {options.strategy: default_parameters | given_parameters}
    if not options.alone:
        plans[BASELINE_STRATEGY] = {"n": MAX_CANDIDATES}
    budget = None
    for strategy, parameters in plans.items():
        settings = Settings.load(
            model=options.model,
            seed=options.seed,
            strategy=strategy,
            strategy_options=parameters,
            search_budget=budget,
        )
        budget = measure_strategy(puzzles, settings, options.at_once, options.out)


if __name__ == "__main__":
    main()
