"""The Python code in a question: the given helpers, and the function to be written.

It runs inside the sandbox, because it parses untrusted text.
"""

import ast
import re
from typing import NamedTuple

__all__ = ["QuestionCode", "read_question"]

_FENCED = re.compile(r"(?ms)^[ \t]*```[^\n]*\n(.*?)^[ \t]*```")
_CODE = re.compile(r"(?m)^(?:from \w|import \w|(?:async )?def \w|class \w|@\w)")
_PRELUDE_NODES = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
)
_MAX_PARSE_ATTEMPTS = 20


class QuestionCode(NamedTuple):
    """The code of a question.

    `prelude` is source that the submission may use: imports, helpers, constants. `functions` are
    the names of the functions to be written, `parameters` those of the last one.
    """

    prelude: str = ""
    functions: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


def read_question(question: str) -> QuestionCode:
    """Parse the fenced blocks, or without any the text from its first line of code on."""
    prelude: list[ast.stmt] = []
    names: list[str] = []
    parameters: tuple[str, ...] = ()
    for text in _FENCED.findall(question) or [_from_code(question)]:
        for node in _parsed(text):
            if isinstance(node, ast.FunctionDef) and _is_empty(node):
                names.append(node.name)
                parameters = tuple(a.arg for a in [*node.args.posonlyargs, *node.args.args])
            elif isinstance(node, _PRELUDE_NODES) and not _computes(node):
                prelude.append(node)
    return QuestionCode(ast.unparse(ast.Module(prelude, [])), tuple(names), parameters)


def _from_code(text: str) -> str:
    start = _CODE.search(text)
    return text[start.start() :] if start else ""


def _parsed(text: str) -> list[ast.stmt]:
    """Return the statements before the first line that is not Python."""
    if text.rstrip().endswith(":"):  # a signature without a body
        text = f"{text.rstrip()}\n    pass"
    for _ in range(_MAX_PARSE_ATTEMPTS):
        try:
            return ast.parse(text).body
        except SyntaxError as error:
            text = "\n".join(text.splitlines()[: (error.lineno or 1) - 1])
        except (ValueError, RecursionError, MemoryError):
            break
    return []


def _is_empty(function: ast.FunctionDef) -> bool:
    """Return whether its body is only a docstring, `pass`, `...` or `raise NotImplementedError`."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Raise) and "NotImplemented" in ast.unparse(node))
        for node in function.body
    )


def _computes(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Call) for part in ast.walk(node)
    )
