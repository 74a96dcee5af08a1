"""HumanEval: one greedy candidate against the best of N chosen by the examples in the prompt.

    python -m bench.humaneval DATA.jsonl --out CANDIDATES.jsonl [--n 164] [--k 8] [--seed 0]

Each line of DATA is a problem of HumanEval (`task_id`, `prompt`, `entry_point`, `test`). Its
candidates are the greedy reply and k - 1 samples, one after another until one passes all of its
prompt's examples, which would be chosen in any case (`--all` samples all k, which the oracle's
figure needs). The choice goes by the verdict on the examples alone, the first of equals;
the hidden tests are run afterwards, outside the solver, and never take part in it. Right means that
every assertion of `check` holds for the function the reply defines; a demonstration below it that
fails does not count against it.

With `--reference` the reference solutions are judged instead of a model's: how many prompts hold
examples that are understood, and whether any of them refutes a right program.

Every candidate is appended to CANDIDATES, and a run that is started again continues from there. The
interval is Wilson's; `solved only by` counts the problems that only one of the two solves.
"""

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import BaseModel, ConfigDict

import python_sandbox
import sympy_check
from bench.json_lines import read_json_lines
from python_sandbox.test_run.question import read_question
from reasoner import Problem, Settings
from reasoner.answers.status import score_of_verdicts
from reasoner.answers.submission import read_submission
from reasoner.metrics import wilson_interval
from reasoner.solver.local import LocalSolver
from reasoner.types.verdict import Outcome, Verdict

INSTRUCTION = "Complete this Python function. Reply with the whole function in one code block.\n\n"
TEST_SECONDS = 20.0


class HumanEvalProblem(BaseModel):
    """One problem of HumanEval."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str
    prompt: str
    entry_point: str
    test: str
    canonical_solution: str = ""

    @property
    def problem(self) -> Problem:
        """The prompt as a question."""
        question = f"{INSTRUCTION}```python\n{self.prompt.strip()}\n```\n"
        return Problem(question=question, entry_point=self.entry_point)

    @property
    def hidden(self) -> Problem:
        """The hidden tests, with the prompt's imports and helpers but not its examples."""
        prelude = read_question(self.prompt).prelude
        return Problem(question=prelude, tests=self.test, entry_point=self.entry_point)


class CandidateRecord(BaseModel):
    """One candidate: `number` 0 is greedy. `standing` is the score by which it is chosen, `sure`
    whether it passed every example, `right` whether it passed the hidden tests."""

    task_id: str
    number: int
    seed: int
    reply: str
    tokens: int
    seconds: float
    standing: float
    sure: bool
    examples: str
    right: bool
    hidden: str


async def sample_candidate(
    solver: LocalSolver, task: HumanEvalProblem, number: int, settings: Settings
) -> CandidateRecord:
    """Sample the candidate with this number and test it."""
    changes = {"seed": settings.seed * 1000 + number} if number else {"temperature": 0.0}
    candidate_settings = settings.model_copy(update=changes)
    result = await solver.solve(task.problem, settings=candidate_settings)
    examples = await asyncio.to_thread(run_tests, task.problem, result.answer)
    hidden = await asyncio.to_thread(run_tests, task.hidden, result.answer)
    return CandidateRecord(
        task_id=task.task_id,
        number=number,
        seed=candidate_settings.seed,
        reply=result.answer,
        tokens=result.usage.completion_tokens,
        seconds=result.usage.seconds,
        standing=score_of_verdicts([examples] if examples else []),
        sure=_passes(examples, "examples"),
        examples=examples.reason if examples else "no code",
        right=_passes(hidden, "given"),
        hidden=hidden.reason if hidden else "no code",
    )


def run_tests(problem: Problem, reply: str) -> Verdict | None:
    """Return the verdict of the problem's tests on a reply; None for a reply without code."""
    return python_sandbox.verify(
        problem=problem,
        submission=read_submission(reply),
        seconds=TEST_SECONDS,
        compare_answers=sympy_check.compare,
    )


def _passes(verdict: Verdict | None, tests: str) -> bool:
    """Whether the verdict is a pass by tests of this kind."""
    return (
        verdict is not None
        and verdict.outcome is Outcome.PASS
        and verdict.evidence.get("tests") == tests
    )


async def sample_candidates(
    tasks: Sequence[HumanEvalProblem],
    candidates: dict[str, list[CandidateRecord]],
    settings: Settings,
    options: Any,
) -> None:
    """Sample the missing candidates, several problems at once, and append them to `candidates` and
    to the file."""
    gate = asyncio.Semaphore(options.at_once)
    with options.out.open("a") as out:
        async with LocalSolver(settings) as solver:

            async def complete(task: HumanEvalProblem) -> None:
                records = candidates.setdefault(task.task_id, [])
                while len(records) < options.k:
                    if not options.all and any(record.sure for record in records):
                        return
                    records.append(await sample_candidate(solver, task, len(records), settings))
                    out.write(records[-1].model_dump_json() + "\n")
                    out.flush()
                    mark = "+" if records[-1].right else "-"
                    print(mark, end="", file=sys.stderr, flush=True)

            async def complete_in_turn(task: HumanEvalProblem) -> None:
                async with gate:
                    await complete(task)

            await asyncio.gather(*map(complete_in_turn, tasks))


def load_problems(path: Path, count: int, seed: int) -> list[HumanEvalProblem]:
    """Return the first `count` problems of a shuffle. Raises SystemExit without the file."""
    rows = read_json_lines(path)
    random.Random(seed).shuffle(rows)
    return [HumanEvalProblem.model_validate(row) for row in rows[:count]]


def load_candidates(path: Path) -> dict[str, list[CandidateRecord]]:
    """Return the candidates in the file by problem, and cut off an incomplete last line."""
    candidates: dict[str, list[CandidateRecord]] = {}
    if path.exists():
        complete_lines = path.read_bytes().rpartition(b"\n")[0]
        path.write_bytes(complete_lines + b"\n" if complete_lines else b"")
        for line in complete_lines.splitlines():
            record = CandidateRecord.model_validate_json(line)
            candidates.setdefault(record.task_id, []).append(record)
    return candidates


def print_report(groups: Iterable[Sequence[CandidateRecord]], settings: Settings, k: int) -> None:
    """Print the share of problems that the greedy candidate, the chosen one, and any one solves."""
    samples = [group[:k] for group in groups if group]
    greedy = [group[0].right for group in samples]
    best = [max(group, key=lambda record: record.standing).right for group in samples]
    oracle = [any(record.right for record in group) for group in samples]
    count = len(samples)
    print(f"\n{settings.model}, seed {settings.seed}, {count} problems")
    for name, right in ((f"greedy {'':9}", greedy), (f"best of {k:<8}", best), ("oracle", oracle)):
        low, high = wilson_interval(sum(right), count)
        share = sum(right) / count
        print(f"{name:<17} {sum(right):>4} right  {share:6.1%}  [{low:.1%}, {high:.1%}]")
    only_best = sum(ours and not other for ours, other in zip(best, greedy, strict=True))
    only_greedy = sum(ours and not other for ours, other in zip(greedy, best, strict=True))
    tokens = sum(record.tokens for group in samples for record in group)
    greedy_tokens = sum(group[0].tokens for group in samples)
    candidates = sum(len(group) for group in samples)
    print(f"solved only by best of {k}: {only_best}; only by greedy: {only_greedy}")
    print(
        f"tokens each: greedy {greedy_tokens / count:.0f}, best {tokens / count:.0f}; "
        f"{candidates / count:.1f} candidates each"
    )


def print_reference_verdicts(tasks: Sequence[HumanEvalProblem]) -> None:
    """Print the verdicts on the reference solutions, by the prompts' examples and by the hidden
    tests."""
    for name in ("problem", "hidden"):
        start_time, outcomes = monotonic(), Counter[str]()
        for task in tasks:
            reply = f"```python\n{task.prompt}{task.canonical_solution}\n```"
            verdict = run_tests(getattr(task, name), reply)
            tests = verdict.evidence["tests"] if verdict else None
            outcomes[f"{verdict.outcome if verdict else 'no'} by {tests or 'nothing'}"] += 1
        seconds = (monotonic() - start_time) / len(tasks)
        print(f"{name}: {dict(outcomes)}, {seconds:.2f} s each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, help="candidates, kept and resumed")
    parser.add_argument("--reference", action="store_true", help="judge the reference solutions")
    parser.add_argument("--n", type=int, default=164)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default=None)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--max-tokens", type=int, default=768)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--all", action="store_true", help="draw all k, for the oracle")
    parser.add_argument("--think", action="store_true", help="let it think before it answers")
    options = parser.parse_args()
    settings = Settings.load(
        model=options.model,
        seed=options.seed,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        think=options.think,
        verify=False,
    )
    tasks = load_problems(options.data, options.n, options.seed)
    if options.reference:
        print_reference_verdicts(tasks)
        return
    if options.out is None:
        parser.error("--out is needed: the candidates are kept there")
    candidates = load_candidates(options.out)
    start_time = monotonic()
    asyncio.run(sample_candidates(tasks, candidates, settings, options))
    print_report((candidates.get(task.task_id, []) for task in tasks), settings, options.k)
    print(f"{monotonic() - start_time:.0f} s")


if __name__ == "__main__":
    main()
