"""The tests' side of a test run: whether there is anything to run, and the report on it.

It runs in a sandbox of its own, in which the submitted program never runs. What running needs is
imported only when there is something to run.
"""

import io
import json
import os
import sys
from typing import Any

from python_sandbox.test_run.loading import read_functions
from python_sandbox.test_run.question import QuestionCode, read_question
from python_sandbox.test_run.question_examples import examples_for

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
    report = {"prelude": question.prelude}
    if order["tests"] or _shows_examples(order, question):
        from python_sandbox.test_run.connected_suite import run_suite

        report = run_suite(order, question) | report
    return report


def _shows_examples(order: dict[str, Any], question: QuestionCode) -> bool:
    """Return whether the question holds examples for the reply, before it is loaded."""
    text, entry_point = order["question"], order["entry_point"]
    functions, parameters = read_functions("\n\n".join(order["blocks"]))
    return ">>>" in text or bool(examples_for(text, question, entry_point, functions, parameters))
