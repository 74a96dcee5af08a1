"""Mutants of right programs: none that its tests refute may pass, and none that holds may fail.

    python -m bench.mutants DATA.jsonl [--count 400] [--seed 0]

Each line of DATA is a problem of HumanEval (`prompt`, `canonical_solution`, `test`,
`entry_point`). A mutant differs from the reference solution in one place (an operator, a number, a
condition, a statement left out), or returns an object that equals everything. Whether the tests
refute it is decided apart from the plugin: program and tests run as one program, as HumanEval's own
harness runs them, with values compared by their builtin types for the objects that equal
everything. A mutant that does not end in time is left out. Ends with exit code 1 after a false
verdict.
"""

import argparse
import ast
import copy
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.humaneval import HumanEvalProblem, load_problems, run_tests
from python_sandbox.run import run_python
from reasoner.types.verdict import Outcome

ORACLE_SECONDS = 10.0
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
EQUAL_TO_ALL = """
class _Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __abs__(self): return self
    __sub__ = __rsub__ = lambda self, other: self
    def __bool__(self): return True
    def __hash__(self): return 0
def {name}(*arguments): return _Equal()
"""


def mutants(source: str, name: str, rng: random.Random) -> Iterator[str]:
    """Yield mutants of a program without end, in random order; `name` is its function."""
    tree = ast.parse(source)
    changes = [
        change for place, node in enumerate(ast.walk(tree)) for change in _changes(node, place)
    ]
    if not changes:
        return
    yield source + EQUAL_TO_ALL.format(name=name)
    while True:
        mutant = copy.deepcopy(tree)
        place, change = rng.choice(changes)
        change(list(ast.walk(mutant))[place])
        yield ast.unparse(ast.fix_missing_locations(mutant))


def _changes(node: ast.AST, place: int) -> Iterator[tuple[int, Callable[[ast.AST], None]]]:
    """Yield the changes that can be made to a node, with its place in the tree."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield place, _swap_comparison
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield place, _swap_operator
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield place, _increase
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        yield place, _negate
    elif isinstance(node, ast.BoolOp):
        yield place, _swap_boolean
    elif isinstance(node, ast.FunctionDef | ast.For) and len(node.body) > 1:
        yield place, _drop_statement
    elif isinstance(node, ast.Return) and node.value is not None:
        yield place, _return_none


def _swap_comparison(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = COMPARISONS[type(node.ops[0])]()


def _swap_operator(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp)
    node.op = OPERATORS[type(node.op)]()


def _increase(node: ast.AST) -> None:
    assert isinstance(node, ast.Constant)
    node.value = int(str(node.value)) + 1


def _negate(node: ast.AST) -> None:
    assert isinstance(node, ast.If | ast.While | ast.IfExp)
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _swap_boolean(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _drop_statement(node: ast.AST) -> None:
    assert isinstance(node, ast.FunctionDef | ast.For)
    del node.body[-2]


def _return_none(node: ast.AST) -> None:
    assert isinstance(node, ast.Return)
    node.value = None


def holds(mutant: str, task: HumanEvalProblem) -> bool | None:
    """Return whether a mutant passes its tests in one program with them; None without an end."""
    if "_Equal" in mutant:
        return False  # it computes nothing
    run = run_python(f"{mutant}\n{task.test}\ncheck({task.entry_point})", seconds=ORACLE_SECONDS)
    return None if run.outcome in ("timeout", "memory", "refused") else run.outcome == "ok"


def count_verdicts(
    tasks: Sequence[HumanEvalProblem], count: int, seed: int
) -> tuple[Counter[str], list[str]]:
    """Judge `count` mutants; return the counts, and a description of each false verdict."""
    rng = random.Random(seed)
    sources = [f"{task.prompt}{task.canonical_solution}" for task in tasks]
    streams = [
        mutants(source, task.entry_point, rng) for source, task in zip(sources, tasks, strict=True)
    ]
    counts: Counter[str] = Counter()
    mistakes: list[str] = []
    while counts.total() < count:
        for task, stream in zip(tasks, streams, strict=True):
            mutant = next(stream, None)
            if mutant is None or counts.total() >= count:
                continue
            if (truth := holds(mutant, task)) is None:
                continue
            verdict = run_tests(task.hidden, f"```python\n{mutant}\n```")
            outcome = verdict.outcome if verdict else Outcome.UNKNOWN
            counts[f"{'holds' if truth else 'refuted'}: {outcome.value}"] += 1
            if outcome is (Outcome.FAIL if truth else Outcome.PASS):
                reason = verdict.reason if verdict else ""
                mistakes.append(f"{task.task_id}: {outcome.value}, {reason}\n{mutant}")
    return counts, mistakes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tasks = load_problems(options.data, sys.maxsize, options.seed)
    counts, mistakes = count_verdicts(tasks, options.count, options.seed)
    for name, number in sorted(counts.items()):
        print(f"{name:<20} {number:>5}")
    print(f"false verdicts: {len(mistakes)}")
    for mistake in mistakes:
        print(f"\n{mistake}")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
