"""Linting a program with the standard library only.

It runs inside the sandbox, because it parses hostile text. The few checks are nearly always right:
undefined names, unused imports, mutable defaults, and the warnings of the compiler.
"""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterable, Iterator

__all__ = ["MAX_LINTS", "lint_program"]

MAX_LINTS = 20
_PREDEFINED_NAMES = {
    *dir(builtins),
    "__name__",
    "__file__",
    "__doc__",
    "__builtins__",
    "__annotations__",
}


def lint_program(source: str, defined: Iterable[str] = ()) -> list[str]:
    """Return `line N: …` for each finding, at most `MAX_LINTS`.

    `defined` are names that exist before. Raises what `ast.parse` raises for text that is not
    Python.
    """
    tree = ast.parse(source)
    findings = [
        *_undefined(source, tree, {*defined}),
        *_unused_imports(tree),
        *_mutable_defaults(tree),
    ]
    findings += _compiler(source)
    return [f"line {line}: {text}" for line, text in sorted(dict.fromkeys(findings))[:MAX_LINTS]]


def _undefined(source: str, tree: ast.Module, defined: set[str]) -> Iterator[tuple[int, str]]:
    names = list(ast.walk(tree))
    if any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in names):
        return
    table = symtable.symtable(source, "program.py", "exec")
    known = _PREDEFINED_NAMES | defined | {s.get_name() for s in table.get_symbols() if _binds(s)}
    known |= {name for n in names if isinstance(n, ast.Global) for name in n.names}
    missing = _globals(table) - known
    for node in names:
        if isinstance(node, ast.Name) and node.id in missing:
            missing.discard(node.id)
            yield node.lineno, f"undefined name '{node.id}'"


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _globals(table: symtable.SymbolTable) -> set[str]:
    """Return the names that some scope looks up in the module."""
    top = table.get_type() == "module"
    names = {
        s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())
    }
    return names.union(*(_globals(child) for child in table.get_children()))


def _unused_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}  # annotations
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and (
            getattr(node, "module", None) != "__future__"
        ):
            for alias in node.names:
                name = (alias.asname or alias.name).partition(".")[0]
                if name != "*" and name not in used:
                    yield node.lineno, f"'{name}' is imported and not used"


def _mutable_defaults(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            if any(isinstance(default, ast.List | ast.Dict | ast.Set) for default in defaults):
                yield node.lineno, f"'{node.name}' has a mutable default, which calls share"


def _compiler(source: str) -> list[tuple[int, str]]:
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        compile(source, "program.py", "exec", dont_inherit=True)
    return [(warning.lineno, str(warning.message)[:200]) for warning in records]
