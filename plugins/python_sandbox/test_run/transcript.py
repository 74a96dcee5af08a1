"""Running the `>>>` examples of a question as `doctest` does, with a more tolerant comparison.

It runs inside the sandbox. It is a module of its own because `doctest` is slow to import.
"""

import ast
import doctest
import re
from typing import Any

from python_sandbox.test_run.scores import CheckResults, close_enough

__all__ = ["run_transcript"]

_QUOTES = re.compile(r"(?m)(?:\"\"\"|'''|^[ \t]*```\w*)[ \t]*$")
_PROMPT = re.compile(r"(?m)^([ \t]*)>>>(?=[^ \n])")


def run_transcript(text: str, names: dict[str, Any], scores: CheckResults) -> None:
    """Run each example and record its result; text that is not an example is ignored."""
    text = _PROMPT.sub(r"\1>>> ", _QUOTES.sub("", text.expandtabs()))
    try:
        test = doctest.DocTestParser().get_doctest(text, names, "question", None, 0)
    except ValueError:
        return
    _Runner(scores).run(test, out=lambda _: None, clear_globs=False)


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Compare as values, too: `"a"` for `'a'`, `[1,2]` for `[1, 2]`, rounded floats."""
        if not want:
            return got != "False\n"
        return super().check_output(want, got, optionflags) or _equal(want, got)


def _equal(want: str, got: str) -> bool:
    try:
        return close_enough(ast.literal_eval(got.strip()), ast.literal_eval(want.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


class _Runner(doctest.DocTestRunner):
    def __init__(self, scores: CheckResults) -> None:
        super().__init__(_Checker(), verbose=False)
        self._scores = scores

    def report_start(self, out: Any, test: Any, example: Any) -> None:
        pass

    def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
        if example.want or got == "True\n":  # else nothing was expected
            self._scores.note(("doctest", example.lineno), True)

    def report_failure(self, out: Any, test: Any, example: Any, got: str) -> None:
        want = f", not {example.want.strip()}" if example.want else ""
        text = f"{example.source.strip()} gives {got.strip() or 'nothing'}{want}"
        self._scores.note(("doctest", example.lineno), False, text)

    def report_unexpected_exception(self, out: Any, test: Any, example: Any, exc_info: Any) -> None:
        with self._scores.guard(("doctest", example.lineno), example.source.strip()):
            raise exc_info[1]
