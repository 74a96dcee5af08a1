"""The examples of a question for the functions of a reply.

It runs inside the sandbox.
"""

import ast
from collections.abc import Mapping, Sequence

from python_sandbox.test_run.examples import Example, find_examples
from python_sandbox.test_run.loading import bound_names
from python_sandbox.test_run.question import QuestionCode

__all__ = ["examples_for", "given_names", "tested_function"]


def examples_for(
    text: str,
    question: QuestionCode,
    entry_point: str | None,
    functions: Sequence[str],
    parameters: Mapping[str, Sequence[str]],
) -> list[Example]:
    """Return the examples in a text for `functions`, which the reply defines in this order, with
    their `parameters`."""
    tested = tested_function(question, entry_point, functions)
    known = {*question.functions, *filter(None, [tested])}
    given = given_names(question, entry_point)
    known |= {name for name in functions if "." not in name} - given
    arguments = parameters.get(tested or "") or question.parameters
    return find_examples(text, known, tested, tuple(arguments))


def tested_function(
    question: QuestionCode, entry_point: str | None, functions: Sequence[str]
) -> str | None:
    """Return the function under test: the named one, the last to be written, or the last one."""
    names = [*reversed(question.functions), *reversed(functions)]
    return entry_point or next(iter(names), None)


def given_names(question: QuestionCode, entry_point: str | None) -> set[str]:
    """Return the names that the question gives, which the program cannot replace."""
    if not (entry_point or question.functions):
        return set()  # the question may show the code to be repaired
    return {*bound_names(ast.parse(question.prelude))} - {entry_point or ""}
