"""The tests' side of a test run: runs the tests against stand-ins for the program's functions.

It runs in a sandbox of its own, in which the submitted program never runs. A stand-in returns what
the program returned for the same call. A call without a known result is recorded, made in the
program's sandbox, and then the tests run again. Therefore no program can change the tests, see the
values they expect, or report their result. Only tests that need the program's classes or variables
run in the program's process, and the report says so.
"""

import ast
import json
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

from python_sandbox.test_run.callee import discard_output, load_program
from python_sandbox.test_run.examples import Example, find_examples
from python_sandbox.test_run.lint import lint_program
from python_sandbox.test_run.question import QuestionCode, read_question
from python_sandbox.test_run.scores import CheckResults, compile_soft_assertions
from python_sandbox.test_run.stand_ins import NeedsProgramProcess, StandIns

__all__ = ["main"]

MODULES = ("solution", "candidate", "answer", "submission", "program", "main")
"""Names under which tests import the module under test."""


def main(order: dict[str, Any]) -> None:
    """Run the tests of an order (see `test_run`); print one line that begins with its nonce."""
    out = discard_output()
    if "random" in (order["tests"] or ""):  # slow to import
        import random

        random.seed(0)  # the tests run several times and must make the same calls
    report = json.dumps(_report(order))
    data = f"\n{order['nonce']}{report}\n".encode()
    while data:
        data = data[os.write(out, data) :]


def _report(order: dict[str, Any]) -> dict[str, Any]:
    question = read_question(order["question"])
    try:
        tree = ast.parse(order["code"])
        lints = lint_program(order["code"], _bound(ast.parse(question.prelude)))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return {"python": False, "error": f"{type(error).__name__}: {error}"[:300]}
    report: dict[str, Any] = {"python": True, "lints": lints, "prelude": question.prelude}
    entry_point = order["entry_point"] or _entry(question, tree)
    known = {*_functions(tree), *question.functions, *filter(None, [entry_point])}
    # without either, the question may show the code to be repaired
    if order["entry_point"] or question.functions:
        known -= {*_functions(ast.parse(question.prelude))} - {order["entry_point"]}
    stand_ins = StandIns(order["memo"], known, guess=order["guess"])
    try:
        names = _test_names(order, question, tree, stand_ins)
        scores = _run(order, question, entry_point, known, names)
    except NeedsProgramProcess:
        return report | {"together": True}
    return report | scores.report() | {"calls": stand_ins.calls}


def _run(
    order: dict[str, Any],
    question: QuestionCode,
    entry_point: str | None,
    known: set[str],
    names: dict[str, Any],
) -> CheckResults:
    scores = CheckResults()
    examples = find_examples(order["question"], known, entry_point, question.parameters)
    for number, example in enumerate(examples):
        _example(scores, number, example, names)
    if ">>>" in order["question"]:
        from python_sandbox.test_run.transcript import run_transcript

        run_transcript(order["question"], names, scores)
    if order["tests"]:
        scores.given = True
        _run_given_tests(order["tests"], names, entry_point, scores)
    return scores


def _test_names(
    order: dict[str, Any], question: QuestionCode, tree: ast.Module, stand_ins: StandIns
) -> dict[str, Any]:
    """Return the names that tests see: the question's helpers, and the program's or stand-ins."""
    if order["together"]:
        module, _ = load_program(order["code"], question.prelude)
    else:
        module, _ = load_program("", question.prelude)
        stand_ins.forbid({*_bound(tree)} - {*_functions(tree)} - {*vars(module)})
        stand_ins.check(order["tests"] or "", order["question"])
        vars(module).update(stand_ins.functions())
    for name in MODULES:
        sys.modules.setdefault(name, module)
    return dict(vars(module))


def _example(scores: CheckResults, number: int, example: Example, names: dict[str, Any]) -> None:
    site = ("example", number)
    with scores.guard(site, example.call):
        got = eval(example.call, names)  # noqa: S307  in the sandbox; the question's own words
        scores.compare(site, example.call, got, example.outcomes)


def _run_given_tests(
    tests: str, names: dict[str, Any], entry_point: str | None, scores: CheckResults
) -> None:
    """Run the given tests: statements, `check(candidate)` and `test_…` functions."""
    try:
        code = compile_soft_assertions(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        scores.broken = f"the tests are no Python: {error}"[:200]
        return
    names |= {"__name__": "tests", **scores.hooks()}
    before = {*names}
    with scores.whole(("module", 0), "the tests"):
        exec(code, names)  # noqa: S102  in the sandbox; the user's tests
    if (check := names.get("check")) and "check" not in before and callable(check):
        with scores.whole(("check", 0), "check"):
            check(names[entry_point] if entry_point else None)
    for name, test in list(names.items()):
        if name.startswith("test") and name not in before and isinstance(test, types.FunctionType):
            _function(name, test, scores)


def _function(name: str, test: types.FunctionType, scores: CheckResults) -> None:
    if test.__code__.co_argcount > len(test.__defaults__ or ()):
        scores.broken = f"{name} takes arguments: fixtures and parameters are not supported"
        return
    with scores.whole((name, 0), name):
        test()


def _entry(question: QuestionCode, tree: ast.Module) -> str | None:
    """Return the function under test when the problem does not name it."""
    written = _functions(tree)
    return next(iter([*reversed(question.functions), *reversed(written)]), None)


def _functions(tree: ast.Module) -> list[str]:
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield every name that a module's top level binds, except through `import *`."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((a.asname or a.name).partition(".")[0] for a in node.names)
        else:
            yield from (
                part.id
                for part in ast.walk(node)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            )
