"""Lines of thought drawn once and kept, so that many ways of choosing can be set side by side.

    python -m bench.pool DATA.jsonl --keep LINES.jsonl [--n 100] [--seed 0] [--model NAME]
                         [--texts 16] [--programs 0] [--brief] [--set KEY=VALUE …]

For each of the problems that `bench.accuracy` would ask with the same seed: one reasoning with the
model's own sampling (greedy for the default model), so many further ones at the temperature of a
search, and so many programs; with `--brief` the further reasonings follow worked examples. Lines
that are kept already are not drawn again.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Literal, TextIO

from pydantic import BaseModel, ValidationError

from bench.accuracy import load_items
from reasoner import Problem, Settings
from reasoner.cli.options.pairs import parse_pairs
from reasoner.policy.budget import Budget
from reasoner.search.context import SearchContext
from reasoner.search.rollout import rollout
from reasoner.search.strategies.cross_check.few_shot import with_brief_examples
from reasoner.search.strategies.cross_check.program import rollout_program
from reasoner.solver.local import LocalSolver
from reasoner.types.candidate import Candidate

__all__ = ["CandidateKind", "PoolCandidate", "read_pool"]

CandidateKind = Literal["first", "text", "program"]


class PoolCandidate(BaseModel):
    """One line of thought on the problem with this number."""

    problem: int
    question: str
    kind: CandidateKind
    right: bool
    attempt: Candidate


def read_pool(path: Path) -> list[PoolCandidate]:
    """The kept lines, ordered by problem and number; one that was cut short is left out."""
    lines = []
    for text in filter(None, path.read_text().split("\n") if path.exists() else ()):
        try:
            lines.append(PoolCandidate.model_validate_json(text))
        except ValidationError:
            print(f"a line of {path} cannot be read", file=sys.stderr)
    return sorted(lines, key=lambda one: (one.problem, one.attempt.number))


class CandidatePool:
    """Draws what is missing, `at_once` lines at a time, problem after problem."""

    def __init__(self, solver: LocalSolver, settings: Settings, at_once: int, out: TextIO) -> None:
        self._solver, self._settings, self._out = solver, settings, out
        self._gate = asyncio.Semaphore(at_once)
        self.tokens = 0

    async def sample_candidates(
        self, index: int, problem: Problem, kinds: Mapping[int, CandidateKind], brief: bool
    ) -> None:
        """Draw lines on a problem: their numbers, which decide their seeds, and their kinds."""
        context = self._solver.search_context(
            self._settings, Budget(), lambda _event: None, varied=False
        )
        lines = [
            self._line(
                index, problem, replace(context, trajectory_numbers=count(number)), kind, brief
            )
            for number, kind in kinds.items()
        ]
        await asyncio.gather(*lines)

    async def _line(
        self, index: int, problem: Problem, context: SearchContext, kind: CandidateKind, brief: bool
    ) -> None:
        async with self._gate:
            candidate = await _drawn(problem, context, kind, brief)
        right = candidate.final_answer is not None and await context.same_answer(
            candidate.final_answer, problem.expect or ""
        )
        kept = PoolCandidate(
            problem=index, question=problem.question, kind=kind, right=right, attempt=candidate
        )
        self._out.write(f"{kept.model_dump_json()}\n")
        self._out.flush()
        self.tokens += len(candidate.trajectory.tokens)
        print("+" if right else "-", end="", file=sys.stderr, flush=True)


async def _drawn(
    problem: Problem, context: SearchContext, kind: CandidateKind, brief: bool
) -> Candidate:
    if kind == "first":
        return await rollout(problem, context, drop_refuted=False)
    again = context.with_varied_sampling()
    if kind == "program":
        return await rollout_program(problem, again)
    asked = with_brief_examples(problem, again.policy) if brief else None
    return await rollout(problem, again, drop_refuted=False, prompt_problem=asked)


def require_same_problems(
    kept: Sequence[PoolCandidate], problems: Sequence[Problem | None], path: Path
) -> None:
    """Refuse to mix these problems' lines with those that were kept of others."""
    for one in kept:
        problem = problems[one.problem] if one.problem < len(problems) else None
        if problem and problem.question != one.question:
            raise SystemExit(f"{path} keeps lines on other problems: give another file to --keep")


async def fill_pool(options: argparse.Namespace) -> None:
    chosen = parse_pairs(options.set, "--set", "temperature=0.5")
    settings = Settings.load(**{"model": options.model, "seed": options.seed, **chosen})
    kinds: list[CandidateKind] = ["first"]
    kinds += ["text"] * options.texts
    kinds += ["program"] * options.programs
    kept = read_pool(options.keep)
    done = {(one.problem, one.attempt.number) for one in kept}
    cut = options.keep.exists() and options.keep.read_text()[-1:] not in ("", "\n")

    items = load_items(options.data, options.n, options.seed)
    require_same_problems(kept, [item.problem for item in items], options.keep)

    def missing(index: int) -> dict[int, CandidateKind]:
        return {n: kind for n, kind in enumerate(kinds) if (index, n) not in done}

    begun = monotonic()
    async with LocalSolver(settings) as solver:
        with options.keep.open("a") as out:
            out.write("\n" if cut else "")
            pool = CandidatePool(solver, settings, options.at_once, out)
            await asyncio.gather(
                *(
                    pool.sample_candidates(index, item.problem, missing(index), options.brief)
                    for index, item in enumerate(items)
                    if item.problem
                )
            )
    seconds = monotonic() - begun
    print(f"\n{pool.tokens} tokens, {pool.tokens / seconds:.0f} tokens/s, {seconds:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--texts", type=int, default=16)
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--at-once", type=int, default=24)
    asyncio.run(fill_pool(parser.parse_args()))


if __name__ == "__main__":
    main()
