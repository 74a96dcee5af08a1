"""Running given tests and the question's examples, connected to the program.

It runs in the tests' sandbox, in which the submitted program never runs. Its names are
stand-ins (see `tests_side`). Therefore no program can change the tests, see the values they
expect, or report their result.
"""

import ast
import contextlib
import io
import sys
import types
from typing import Any

from python_sandbox.test_run.channel import Channel, ChannelClosed
from python_sandbox.test_run.examples import Example
from python_sandbox.test_run.given_tests import run_given_tests
from python_sandbox.test_run.loading import MODULES
from python_sandbox.test_run.patches import PatchWatch
from python_sandbox.test_run.peer import Uncarried
from python_sandbox.test_run.program_finder import ProgramFinder, loads_late
from python_sandbox.test_run.program_names import ProgramNames, used_names
from python_sandbox.test_run.question import QuestionCode
from python_sandbox.test_run.question_examples import (
    examples_for,
    given_names,
    tested_function,
)
from python_sandbox.test_run.remote import RemoteModule
from python_sandbox.test_run.scores import CheckResults
from python_sandbox.test_run.tests_side import TESTS_MODULE, TestsSide

__all__ = ["run_suite"]


def run_suite(order: dict[str, Any], question: QuestionCode) -> dict[str, Any]:
    """Run the tests and examples of an order; return the report on them and on the program."""
    suite = _Suite(order, question)
    suite.run()
    return {**suite.loaded, **suite.scores.report()}


class _Suite:
    """The tests and examples of one order. `loaded` is the report on loading the program."""

    def __init__(self, order: dict[str, Any], question: QuestionCode) -> None:
        self.tests: str = order["tests"] or ""
        self.question = question
        self.loaded: dict[str, Any] = {}
        self._text: str = order["question"]
        self._blocks: list[str] = order["blocks"]
        self._entry_point: str | None = order["entry_point"]
        self._peer = TestsSide(Channel(*order["channel"]), PatchWatch(self.tests))
        self.scores = CheckResults(self._peer)

    def run(self) -> None:
        """Load the program and run the examples and tests, as long as the program lives."""
        try:
            if loads_late(self.tests):
                sys.meta_path.insert(0, ProgramFinder(self._load))
                self._run_tests(self._namespace())
            else:
                self._run_loaded(self._load())
        except (ChannelClosed, Uncarried):
            self.scores.lost = self.scores.lost or "the program"

    def _load(self) -> RemoteModule | None:
        """Load the program, at once or when the tests import it."""
        entry_point = [self._entry_point] if self._entry_point else []
        asked = dict.fromkeys([*entry_point, *self.question.functions, *used_names(self.tests)])
        order = {"blocks": self._blocks, "prelude": self.question.prelude, "asked": [*asked]}
        self.loaded.update(self._peer.request("load", None, [order]))
        module: RemoteModule | None = self._peer.request("module", None, [])
        return module

    def _run_loaded(self, module: RemoteModule | None) -> None:
        if not self.loaded.get("python") or module is None:
            return
        hidden = given_names(self.question, self._entry_point)
        self._note_doubts(hidden)
        namespace = self._namespace()
        names = [name for name in self.loaded["names"] if name not in hidden]
        program = ProgramNames(self._peer, module, names, self.loaded["rebound"], namespace)
        self._peer.before_request = program.send_changes
        self._peer.after_request = program.fetch_changes
        for name in MODULES:
            sys.modules.setdefault(name, module)
        self._run_examples(namespace)
        self._run_tests(namespace)

    def _note_doubts(self, hidden: set[str]) -> None:
        """Note what makes every check uncertain."""
        self._peer.lacking.clear()
        if self.loaded.get("lacks"):
            self._peer.lacks_from_start = str(self.loaded["error"])
        if "'__main__." in self.tests.replace('"', "'"):
            self._peer.doubt_from_start = "the tests patch names of their own module"
        if redefined := {*self.loaded["redefined"]} & {*used_names(self.tests)} & hidden:
            name = min(redefined)
            self._peer.doubt_from_start = (
                f"the tests use {name}, which the question gives otherwise"
            )

    def _namespace(self) -> dict[str, Any]:
        """Return the names that tests see: those of the question's own code."""
        module = sys.modules[TESTS_MODULE] = types.ModuleType(TESTS_MODULE)
        namespace = vars(module)
        namespace["__builtins__"] = __builtins__
        for node in ast.parse(self.question.prelude).body:
            with contextlib.suppress(Exception):  # the tests may do without it
                code = compile(ast.Module([node], []), "question.py", "exec", dont_inherit=True)
                exec(code, namespace)  # noqa: S102  in the sandbox; the question's own code
        return namespace

    def _run_tests(self, namespace: dict[str, Any]) -> None:
        if self.tests:
            self.scores.given = True
            functions = self.loaded.get("functions", [])
            entry_point = tested_function(self.question, self._entry_point, functions)
            run_given_tests(self.tests, namespace, entry_point, self.scores)

    def _run_examples(self, namespace: dict[str, Any]) -> None:
        examples = examples_for(
            self._text,
            self.question,
            self._entry_point,
            self.loaded["functions"],
            self.loaded["parameters"],
        )
        for number, example in enumerate(examples):
            _run_example(self.scores, number, example, namespace)
        if ">>>" in self._text:
            from python_sandbox.test_run.transcript import run_transcript

            run_transcript(self._text, namespace, self.scores)


def _run_example(
    scores: CheckResults, number: int, example: Example, namespace: dict[str, Any]
) -> None:
    """Run an example; what a function prints counts when it returns nothing."""
    site = ("example", number)
    with scores.guard(site, example.call):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            got = eval(example.call, namespace)  # noqa: S307  in the sandbox; the question's words
        outcomes = example.outcomes
        if got is None and None not in outcomes and printed.getvalue():
            got, outcomes = printed.getvalue().strip(), tuple(map(str, outcomes))
        scores.compare(site, example.call, got, outcomes)
