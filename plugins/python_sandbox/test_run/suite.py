"""The tests' side of a test run: runs given tests and the question's examples.

It runs in a sandbox of its own, in which the submitted program never runs. The program's names are
stand-ins (see `tests_side`). Therefore no program can change the tests, see the values they
expect, or report their result.
"""

import ast
import io
import json
import os
import sys
import types
from typing import Any

from python_sandbox.test_run.channel import Channel, ChannelClosed
from python_sandbox.test_run.examples import Example, find_examples
from python_sandbox.test_run.given_tests import run_given_tests
from python_sandbox.test_run.loading import MODULES, bound_names, read_functions
from python_sandbox.test_run.patches import PatchWatch
from python_sandbox.test_run.peer import Uncarried
from python_sandbox.test_run.program_names import ProgramNames, used_names
from python_sandbox.test_run.question import QuestionCode, read_question
from python_sandbox.test_run.remote import RemoteModule
from python_sandbox.test_run.scores import CheckResults
from python_sandbox.test_run.tests_side import TESTS_MODULE, TestsSide

__all__ = ["main"]


class _DiscardedOutput(io.TextIOBase):
    """A stream that discards everything; the sandbox may not write to /dev/null."""

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


def main(order: dict[str, Any]) -> None:
    """Run the tests of an order (see `test_run`); write the results to the standard error."""
    out = os.dup(2)
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        setattr(sys, name, _DiscardedOutput())
    data = json.dumps(_report(order)).encode()
    while data:
        data = data[os.write(out, data) :]


def _report(order: dict[str, Any]) -> dict[str, Any]:
    question = read_question(order["question"])
    asked = _asked(order, question)
    peer = TestsSide(Channel(*order["channel"]), PatchWatch(order["tests"] or ""))
    loaded: dict[str, Any] = {}

    def load() -> RemoteModule | None:
        """Load the program, at once or when the tests import it."""
        blocks = {"blocks": order["blocks"], "prelude": question.prelude, "asked": asked}
        loaded.update(peer.request("load", None, [blocks]))
        module: RemoteModule | None = peer.request("module", None, [])
        return module

    scores = CheckResults(peer)
    if not order["tests"] and not _shows_examples(order, question):
        return {"prelude": question.prelude}
    try:
        _run(order, question, peer, load, loaded, scores)
    except (ChannelClosed, Uncarried):
        scores.lost = scores.lost or ("" if loaded else "loading")
    return {**loaded, "prelude": question.prelude, **scores.report()}


def _shows_examples(order: dict[str, Any], question: QuestionCode) -> bool:
    """Return whether the question holds examples for the reply, before it is loaded."""
    if ">>>" in order["question"]:
        return True
    functions, parameters = read_functions("\n\n".join(order["blocks"]))
    known = {*question.functions, *functions, *filter(None, [order["entry_point"]])}
    last = order["entry_point"] or next(iter([*reversed(question.functions), *functions]), None)
    given = tuple(parameters.get(last or "", question.parameters))
    return bool(find_examples(order["question"], known, last or "f", given))


def _asked(order: dict[str, Any], question: QuestionCode) -> list[str]:
    """Return the names that the program must define."""
    used = used_names(order["tests"] or "")
    entry_point = order["entry_point"]
    return [*dict.fromkeys([*([entry_point] if entry_point else []), *question.functions, *used])]


def _run(
    order: dict[str, Any],
    question: QuestionCode,
    peer: TestsSide,
    load: Any,
    loaded: dict[str, Any],
    scores: CheckResults,
) -> None:
    module = load()
    if not loaded.get("python"):
        return
    peer.lacking.clear()
    peer.lacks_from_start = str(loaded["error"]) if loaded.get("lacks") else None
    namespace = _namespace(question)
    given = {*bound_names(ast.parse(question.prelude))}
    # without a function to write, the question may show the code to be repaired
    if not (order["entry_point"] or question.functions):
        given = set()
    hidden = given - {order["entry_point"]}
    if redefined := {*loaded["redefined"]} & {*used_names(order["tests"] or "")} - {
        order["entry_point"]
    }:
        name = min(redefined)
        peer.doubt_from_start = f"the tests use {name}, which the question gives otherwise"
    names = [name for name in loaded["names"] if name not in hidden]
    assert isinstance(module, RemoteModule)
    program = ProgramNames(peer, module, names, loaded["rebound"], namespace)
    peer.before_request, peer.after_request = program.send_changes, program.fetch_changes
    for name in MODULES:
        sys.modules.setdefault(name, module)
    entry_point = order["entry_point"] or _entry(question, loaded)
    _run_examples(order, question, entry_point, loaded, namespace, scores)
    if order["tests"]:
        scores.given = True
        run_given_tests(order["tests"], namespace, entry_point, scores)


def _namespace(question: QuestionCode) -> dict[str, Any]:
    """Return the names that tests see: those of the question's own code."""
    module = sys.modules[TESTS_MODULE] = types.ModuleType(TESTS_MODULE)
    namespace = vars(module)
    namespace["__builtins__"] = __builtins__
    for node in ast.parse(question.prelude).body:
        try:
            code = compile(ast.Module([node], []), "question.py", "exec", dont_inherit=True)
            exec(code, namespace)  # noqa: S102  in the sandbox; the question's own code
        except Exception:  # noqa: S112  the program may do without it
            continue
    return namespace


def _run_examples(
    order: dict[str, Any],
    question: QuestionCode,
    entry_point: str | None,
    loaded: dict[str, Any],
    namespace: dict[str, Any],
    scores: CheckResults,
) -> None:
    known = {*question.functions, *filter(None, [entry_point])}
    known |= {name for name in loaded["functions"] if "." not in name}
    if not (order["entry_point"] or question.functions):
        known |= {name for name in loaded["functions"] if "." not in name}
    else:
        known -= {*bound_names(ast.parse(question.prelude))} - {order["entry_point"]}
    parameters = loaded["parameters"].get(entry_point) or question.parameters
    examples = find_examples(order["question"], known, entry_point, tuple(parameters))
    for number, example in enumerate(examples):
        _run_example(scores, number, example, namespace)
    if ">>>" in order["question"]:
        from python_sandbox.test_run.transcript import run_transcript

        run_transcript(order["question"], namespace, scores)


def _run_example(
    scores: CheckResults, number: int, example: Example, namespace: dict[str, Any]
) -> None:
    site = ("example", number)
    with scores.guard(site, example.call):
        printed = io.StringIO()
        stdout, sys.stdout = sys.stdout, printed
        try:
            got = eval(example.call, namespace)  # noqa: S307  in the sandbox; the question's words
        finally:
            sys.stdout = stdout
        if got is None and None not in example.outcomes and printed.getvalue():
            got = printed.getvalue().strip()
            scores.compare(site, example.call, got, tuple(map(str, example.outcomes)))
        else:
            scores.compare(site, example.call, got, example.outcomes)


def _entry(question: QuestionCode, loaded: dict[str, Any]) -> str | None:
    """Return the function under test when the problem does not name it."""
    names = [*reversed(question.functions), *reversed(loaded["functions"])]
    return next(iter(names), None)
