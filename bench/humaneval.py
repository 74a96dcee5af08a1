"""HumanEval: one greedy candidate against the best of N chosen by the examples in the prompt.

    python -m bench.humaneval DATA.jsonl --out CANDIDATES.jsonl [--n 164] [--k 8] [--seed 0]

Each line of DATA is a problem of HumanEval (`task_id`, `prompt`, `entry_point`, `test`). Its
candidates are the greedy reply and k - 1 samples, drawn one after another until one passes all
its prompt's examples: the choice would fall on that one anyway (`--all` draws all k, which the
oracle's figure needs). The choice goes by the verdict on the examples alone, the first of equals;
the hidden tests are run afterwards, outside the solver, and never take part in it. Right means that
every assertion of `check` holds for the function the reply defines; a demonstration below it that
fails does not count against it.

With `--reference` the reference solutions are judged instead of a model's: how many prompts hold
examples that are understood, and whether any of them refutes a right program.

Every candidate is appended to CANDIDATES as it is judged, and a run that is started again goes on
from there. The interval is Wilson's; `solved only by` counts the problems that tell the two apart.
"""

import argparse
import asyncio
import json
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
from python_sandbox.test_run.question import read_question
from reasoner import Problem, Settings
from reasoner.answers.status import score_of_verdicts
from reasoner.answers.submission import read_submission
from reasoner.metrics import wilson_interval
from reasoner.solver.local import LocalSolver
from reasoner.types.verdict import Outcome, Verdict

ASK = "Complete this Python function. Reply with the whole function in one code block.\n\n"
SECONDS = 20.0


class Task(BaseModel):
    """One problem of HumanEval."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str
    prompt: str
    entry_point: str
    test: str
    canonical_solution: str = ""

    @property
    def problem(self) -> Problem:
        question = f"{ASK}```python\n{self.prompt.strip()}\n```\n"
        return Problem(question=question, entry_point=self.entry_point)

    @property
    def hidden(self) -> Problem:
        """The hidden tests, with the prompt's imports and helpers but not its examples."""
        given = read_question(self.prompt).prelude
        return Problem(question=given, tests=self.test, entry_point=self.entry_point)


class Attempt(BaseModel):
    """One candidate: `number` 0 is greedy. `standing` is what it is chosen by, `sure` that it
    passed every example, `right` what the hidden tests say."""

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


async def attempt(solver: LocalSolver, task: Task, number: int, settings: Settings) -> Attempt:
    own = {"seed": settings.seed * 1000 + number} if number else {"temperature": 0.0}
    chosen = settings.model_copy(update=own)
    result = await solver.solve(task.problem, settings=chosen)
    seen = await asyncio.to_thread(judge, task.problem, result.answer)
    hidden = await asyncio.to_thread(judge, task.hidden, result.answer)
    return Attempt(
        task_id=task.task_id,
        number=number,
        seed=chosen.seed,
        reply=result.answer,
        tokens=result.usage.completion_tokens,
        seconds=result.usage.seconds,
        standing=score_of_verdicts([seen] if seen else []),
        sure=_passes(seen, "examples"),
        examples=seen.reason if seen else "no code",
        right=_passes(hidden, "given"),
        hidden=hidden.reason if hidden else "no code",
    )


def judge(problem: Problem, reply: str) -> Verdict | None:
    submission = read_submission(reply)
    return python_sandbox.verify(
        problem=problem, submission=submission, seconds=SECONDS, compare_answers=sympy_check.compare
    )


def _passes(verdict: Verdict | None, by: str) -> bool:
    return (
        verdict is not None
        and verdict.outcome is Outcome.PASS
        and verdict.evidence.get("tests") == by
    )


async def run(
    tasks: Sequence[Task], done: dict[str, list[Attempt]], settings: Settings, options: Any
) -> None:
    """Draw what is missing, several problems at once, and append it to the file."""
    gate = asyncio.Semaphore(options.at_once)
    with options.out.open("a") as out:
        async with LocalSolver(settings) as solver:

            async def one(task: Task) -> None:
                async with gate:
                    mine = done.setdefault(task.task_id, [])
                    while len(mine) < options.k and (options.all or not any(a.sure for a in mine)):
                        mine.append(await attempt(solver, task, len(mine), settings))
                        out.write(mine[-1].model_dump_json() + "\n")
                        out.flush()
                        mark = "+" if mine[-1].right else "-"
                        print(mark, end="", file=sys.stderr, flush=True)

            await asyncio.gather(*(one(task) for task in tasks))


def load(path: Path, count: int, seed: int) -> list[Task]:
    """The chosen problems, in the order they are asked."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    random.Random(seed).shuffle(rows)
    return [Task.model_validate(row) for row in rows[:count]]


def resume(path: Path) -> dict[str, list[Attempt]]:
    """The candidates of an earlier run, by problem; a line cut short is dropped."""
    done: dict[str, list[Attempt]] = {}
    if path.exists():
        whole = path.read_bytes().rpartition(b"\n")[0]
        path.write_bytes(whole + b"\n" if whole else b"")
        for line in whole.splitlines():
            found = Attempt.model_validate_json(line)
            done.setdefault(found.task_id, []).append(found)
    return done


def report(groups: Iterable[Sequence[Attempt]], settings: Settings, k: int) -> None:
    drawn = [group[:k] for group in groups if group]
    greedy = [group[0].right for group in drawn]
    best = [max(group, key=lambda a: a.standing).right for group in drawn]
    oracle = [any(a.right for a in group) for group in drawn]
    count = len(drawn)
    print(f"\n{settings.model}, seed {settings.seed}, {count} problems")
    for name, right in ((f"greedy {'':9}", greedy), (f"best of {k:<8}", best), ("oracle", oracle)):
        low, high = wilson_interval(sum(right), count)
        share = sum(right) / count
        print(f"{name:<17} {sum(right):>4} right  {share:6.1%}  [{low:.1%}, {high:.1%}]")
    only = [sum(a and not b for a, b in zip(*pair, strict=True)) for pair in
            ((best, greedy), (greedy, best))]  # fmt: skip
    tokens = [sum(a.tokens for a in group) for group in drawn]
    first = sum(group[0].tokens for group in drawn)
    wide = sum(len(group) for group in drawn)
    print(f"solved only by best of {k}: {only[0]}; only by greedy: {only[1]}")
    print(f"tokens each: greedy {first / count:.0f}, best {sum(tokens) / count:.0f}; "
          f"{wide / count:.1f} candidates each")  # fmt: skip


def reference(tasks: Sequence[Task]) -> None:
    """How the references fare: by their prompts' examples, and by the hidden tests."""
    for name in ("problem", "hidden"):
        begun, outcomes = monotonic(), Counter[str]()
        for task in tasks:
            reply = f"```python\n{task.prompt}{task.canonical_solution}\n```"
            seen = judge(getattr(task, name), reply)
            by = seen.evidence["tests"] if seen else None
            outcomes[f"{seen.outcome if seen else 'no'} by {by or 'nothing'}"] += 1
        spent = (monotonic() - begun) / len(tasks)
        print(f"{name}: {dict(outcomes)}, {spent:.2f} s each")


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
    tasks = load(options.data, options.n, options.seed)
    if options.reference:
        reference(tasks)
        return
    if options.out is None:
        parser.error("--out is needed: the candidates are kept there")
    done = resume(options.out)
    begun = monotonic()
    asyncio.run(run(tasks, done, settings, options))
    report((done.get(task.task_id, []) for task in tasks), settings, options.k)
    print(f"{monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
