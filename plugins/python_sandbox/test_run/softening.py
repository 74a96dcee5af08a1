"""Compiling tests so that a failing check is recorded and the next one still runs.

It runs inside the sandbox and uses the standard library only.
"""

import ast
import types
from collections.abc import Sequence

__all__ = ["compile_soft_tests"]

_CATCHING = {"AssertionError", "Exception", "BaseException"}


def compile_soft_tests(tests: str) -> types.CodeType:
    """Compile the tests with hooks around their checks (see `CheckResults.hooks`).

    Checks are assertions, calls of `assert…`, and blocks that expect an exception. An assertion
    whose failure the tests catch themselves stays as it is. Raises what `ast.parse` raises.
    """
    tree = ast.fix_missing_locations(_Softener().visit(ast.parse(tests, "tests.py")))
    return compile(tree, "tests.py", "exec", dont_inherit=True)


class _Softener(ast.NodeTransformer):
    def __init__(self) -> None:
        self._is_caught = False

    def visit_Module(self, node: ast.Module) -> ast.AST:
        for function in node.body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                call = _called("__entered__", [ast.Constant(function.name)])
                function.body.insert(0, ast.copy_location(ast.Expr(call), function))
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        if isinstance(node.test, ast.Constant) and node.test.value:
            return ast.copy_location(ast.Pass(), node)  # `assert True` tests nothing
        if self._is_caught:
            return node
        text = ast.Constant(ast.unparse(node.test)[:200])
        test, hook, values = node.test, "__held__", [node.test]
        if isinstance(test, ast.Compare) and [type(op) for op in test.ops] == [ast.Eq]:
            hook, values = "__equal__", [test.left, test.comparators[0]]
        check = ast.Expr(_called(hook, [ast.Constant(node.lineno), *values, text]))
        return _guarded(node, [check], text)

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if self._is_caught or not _is_assertion(node.value):
            return node
        return _guarded(node, [node, _reached(node)], ast.Constant(ast.unparse(node)[:200]))

    def visit_With(self, node: ast.With) -> ast.stmt:
        expected = [item.context_expr for item in node.items if _expects(item.context_expr)]
        if not expected:
            self.generic_visit(node)
            return node
        was_caught, self._is_caught = self._is_caught, True
        self.generic_visit(node)
        self._is_caught = was_caught
        if was_caught:
            return node
        return _guarded(node, [node, _reached(node)], ast.Constant(ast.unparse(expected[0])[:200]))

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        is_catching = any(_catches(handler) for handler in node.handlers)
        was_caught = self._is_caught
        self._is_caught = was_caught or is_catching
        node.body = [self.visit(statement) for statement in node.body]
        self._is_caught = was_caught
        for handler in node.handlers:
            self.visit(handler)
        node.orelse = [self.visit(statement) for statement in node.orelse]
        node.finalbody = [self.visit(statement) for statement in node.finalbody]
        if was_caught or not is_catching or not _asserts(node.body):
            return node
        text = ast.Constant(f"line {node.lineno}")
        return _guarded(node, [node, _reached(node)], text)


def _guarded(node: ast.stmt, body: list[ast.stmt], text: ast.Constant) -> ast.stmt:
    """Return a statement that records what `body` raises."""
    broke = ast.Expr(_called("__broke__", [ast.Constant(node.lineno), text]))
    handler = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), None, [broke])
    return ast.copy_location(ast.Try(body, [handler], [], []), node)


def _reached(node: ast.stmt) -> ast.stmt:
    arguments = [ast.Constant(node.lineno), ast.Constant(True), ast.Constant("")]
    return ast.Expr(_called("__held__", arguments))


def _called(name: str, arguments: Sequence[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name, empty for anything else."""
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _is_assertion(node: ast.expr) -> bool:
    """Return whether an expression is a call such as `self.assertEqual(…)`."""
    return isinstance(node, ast.Call) and _name(node.func).lower().startswith("assert")


def _expects(node: ast.expr) -> bool:
    """Return whether a context manager expects an exception."""
    names = ("raises", "assertRaises", "assertRaisesRegex", "assertWarns", "warns")
    return isinstance(node, ast.Call) and _name(node.func) in names


def _catches(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler would catch a failing assertion."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _name(kind) in _CATCHING for kind in kinds)


def _asserts(body: list[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Assert) for statement in body for part in ast.walk(statement))
