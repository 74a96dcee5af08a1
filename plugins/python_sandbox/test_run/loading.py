"""Choosing the program among the blocks of a reply, and loading it.

It runs inside the program's sandbox.
"""

import ast
import builtins
import re
import symtable
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from python_sandbox.inside.lint import lint_program

__all__ = ["MODULES", "bound_names", "load_program", "read_functions"]

MODULES = (
    "solution",
    "candidate",
    "answer",
    "submission",
    "program",
    "main",
    "code",
    "your_module",
)
"""Names under which tests import the module under test."""
_FILE = re.compile(r"\s*#[^\w\n]*(?:file(?:name)?:?\s*)?([\w/]{1,60})\.py\b")
_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)


def load_program(order: dict[str, Any]) -> tuple[types.ModuleType, dict[str, Any]]:
    """Load the program of an order; return its module, and a report on it.

    The order holds `blocks`, the names `asked` for, and the question's `prelude`. The statements
    run one by one, also after one that raises: a failing demonstration at the end must not hide the
    functions before it.
    """
    source = choose_program(order["blocks"], order["asked"], order["prelude"])
    module = types.ModuleType("candidate")
    module.__dict__["__file__"] = "candidate.py"
    for name in MODULES:
        sys.modules.setdefault(name, module)
    sys.modules["candidate"] = module
    try:
        tree = ast.parse(source)
        lints = lint_program(source, bound_names(ast.parse(order["prelude"])))
    except _PARSE_ERRORS as error:
        return module, {"python": False, "error": _line(error)}
    _add_files(order["blocks"], source)
    first_error, lacks = None, False
    for text in (order["prelude"], source):
        for raised in _run_statements(text, module):
            first_error = first_error or _line(raised)
            lacks = lacks or isinstance(raised, ImportError | EOFError | OSError | MemoryError)
    return module, {
        "python": True,
        "error": first_error,
        "lacks": lacks,
        "lints": lints,
        "names": [name for name in bound_names(tree) if hasattr(module, name)],
        "redefined": sorted(_redefined(tree, ast.parse(order["prelude"]))),
        "functions": _functions(tree),
        "rebound": sorted(
            {n for p in ast.walk(tree) if isinstance(p, ast.Global) for n in p.names}
        ),
        "parameters": {name: _parameters(node) for name, node in _definitions(tree)},
    }


def read_functions(source: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the functions that a program defines, in order, and their parameters."""
    tree = _parsed(source)
    if tree is None:
        return [], {}
    return _functions(tree), {name: _parameters(node) for name, node in _definitions(tree)}


def choose_program(blocks: Sequence[str], asked: Iterable[str], prelude: str) -> str:
    """Return the last block that defines what is asked and needs nothing of the other blocks;
    without one, all blocks together."""
    asked_names = {*asked}
    together = "\n\n".join(blocks)
    if len(blocks) < 2:
        return together
    trees = [_parsed(block) for block in blocks]
    given = {*bound_names(_parsed(prelude) or ast.Module([], []))}
    bound = [{*bound_names(tree)} if tree else set() for tree in trees]
    defined = [{*_definition_names(tree)} if tree else set() for tree in trees]
    if asked_names & set().union(*defined):  # `f = input()` does not define a function
        asked_names &= set().union(*defined)
        bound = [names - (asked_names - own) for names, own in zip(bound, defined, strict=True)]
    wanted = asked_names & set().union(*bound) or asked_names
    for block, tree, names in reversed(list(zip(blocks, trees, bound, strict=True))):
        if tree is not None and wanted and wanted <= names:
            others = set().union(*bound) - names - given
            if not others & _needed_names(block):
                return block
    if _parsed(together) is None:  # a block that is no Python must not hide the others
        return "\n\n".join(b for b, tree in zip(blocks, trees, strict=True) if tree) or together
    return together


def bound_names(tree: ast.Module) -> Iterator[str]:
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


def _add_files(blocks: Sequence[str], source: str) -> None:
    """Make blocks that begin with the name of a file importable under it."""
    for block in blocks:
        if (match := _FILE.match(block)) and block != source and _parsed(block):
            name = match[1].strip("/").replace("/", ".")
            if name not in sys.modules and name not in sys.stdlib_module_names:
                module = sys.modules[name] = types.ModuleType(name)
                for _ in _run_statements(block, module):
                    continue


def _definition_names(tree: ast.Module) -> Iterator[str]:
    """Yield the functions and classes of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _redefined(tree: ast.Module, given: ast.Module) -> Iterator[str]:
    """Yield the functions and classes of the question that the program defines differently."""
    before = {node.name: _body(node) for node in given.body if isinstance(node, _Definition)}
    for node in tree.body:
        if isinstance(node, _Definition) and before.get(node.name, _body(node)) != _body(node):
            yield node.name


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    """Return the statements of a definition without its docstring."""
    is_documented = ast.get_docstring(node) is not None
    return "\n".join(map(ast.unparse, node.body[int(is_documented) :]))


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except _PARSE_ERRORS:
        return None


def _needed_names(source: str) -> set[str]:
    """Return the global names that a program uses."""

    def walk(table: symtable.SymbolTable) -> set[str]:
        top = table.get_type() == "module"
        symbols = table.get_symbols()
        names = {s.get_name() for s in symbols if s.is_referenced() and (top or s.is_global())}
        return names.union(*map(walk, table.get_children()))

    return walk(symtable.symtable(source, "candidate.py", "exec")) - {*dir(builtins)}


def _run_statements(text: str, module: types.ModuleType) -> Iterator[BaseException]:
    """Run the statements of a text one by one; yield what they raise."""
    flags = 0
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            flags |= _future(node)
        try:
            code = compile(ast.Module([node], []), "candidate.py", "exec", flags, dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102  this is what the sandbox is for
        except BaseException as error:
            yield error


def _future(node: ast.ImportFrom) -> int:
    import __future__

    features = [getattr(__future__, alias.name, None) for alias in node.names]
    return sum(feature.compiler_flag for feature in features if feature is not None)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield the functions of a module, and the methods of its class `Solution`."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name == "Solution":
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"Solution().{method.name}", method


def _functions(tree: ast.Module) -> list[str]:
    names = [name for name, _ in _definitions(tree)]
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return names


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
    return names[1:] if names[:1] == ["self"] else names


def _line(error: BaseException) -> str:
    try:
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    except BaseException:
        return type(error).__name__
