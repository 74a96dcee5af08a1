"""The environment that chat templates are written for: the one of transformers'
`apply_chat_template`, in Jinja's sandbox and within limits of memory.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from reasoner.policy.template_limits import (
    AllowanceExceeded,
    TemplateAllowance,
    limited_filter,
)

__all__ = ["render_template"]

MAX_TEMPLATE_CHARS = 2**20
MAX_DATE_FORMAT_CHARS = 200
MAX_JSON_GAP_CHARS = 64
PRESENT_VALUES = {"tools": None, "documents": None, "add_generation_prompt": True}
"""The variables that transformers always passes."""


def render_template(
    deadline: float, source: str, values: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
) -> str:
    """Return the conversation as text, up to where the reply begins.

    `values` are further variables; `deadline` is when it must be done, in the time of
    `time.monotonic`. Raises whatever a template may raise, because it is a program, and
    AllowanceExceeded.
    """
    if len(source) > MAX_TEMPLATE_CHARS:
        raise AllowanceExceeded("it is longer than a megabyte")
    input_chars = sum(len(str(message.get("content", ""))) for message in messages)
    _rendering.allowance = TemplateAllowance(input_chars, deadline)
    text = _compile(source).render({**PRESENT_VALUES, **values, "messages": list(messages)})
    return str(text)


class _Rendering(threading.local):
    """The rendering that a thread does: what it may still make."""

    allowance = TemplateAllowance(0, 0.0)


_rendering = _Rendering()


def _allowance() -> TemplateAllowance:
    return _rendering.allowance


@lru_cache(maxsize=16)
def _compile(source: str) -> Template:
    return _LimitedSandbox().from_string(source)


class _LimitedSandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which loops, operators, calls and filters count what they make."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    @staticmethod
    def concat(parts: Iterable[Any]) -> str:
        """The parts of a rendered block as one text."""
        return _allowance().join(parts)

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_GenerationBlock, loopcontrols],
            finalize=_finalize,
        )
        self.filters["tojson"] = _to_json
        self.filters = {
            name: limited_filter(name, function, _allowance)
            for name, function in self.filters.items()
        }
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = _format_now
        self.globals.pop("lipsum")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        return _CountingNodes(self).visit(tree)  # type: ignore[no-any-return]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _allowance().check_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        if getattr(__obj, "__name__", "") == "join" and args and not hasattr(args[0], "__len__"):
            args = (list(_allowance().counted(args[0])),)
        if getattr(__obj, "__self__", None) is not __self:
            _allowance().check_call(__obj, (*args, *kwargs.values()))
        return super().call(__context, __obj, *args, **kwargs)

    def counted(self, items: Iterable[Any]) -> Iterable[Any]:
        """The items of a loop, which are counted."""
        return _allowance().counted(items)

    def joined(self, *parts: Any) -> str:
        """The parts of a `~` expression as one text."""
        return _allowance().join(parts)


class _CountingNodes(NodeTransformer):
    """Makes the loops and the `~` of a parsed template count what they do."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = self._call("counted", [node.iter], node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._call("joined", node.nodes, node)

    def _call(self, name: str, arguments: list[Any], old: nodes.Node) -> nodes.Call:
        method = nodes.EnvironmentAttribute(name, lineno=old.lineno)
        call = nodes.Call(method, arguments, [], None, None, lineno=old.lineno)
        call.set_environment(self._environment)
        return call


class _GenerationBlock(Extension):
    """`{% generation %}` … `{% endgeneration %}`, with which templates mark for training what the
    assistant wrote. Here it stands for what is in it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _finalize(value: Any) -> Any:
    _allowance().charge_value(value)
    return value


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as transformers writes it: no characters escaped for HTML, keys in their own order."""
    if any(len(str(gap)) > MAX_JSON_GAP_CHARS for gap in (indent or "", *(separators or ()))):
        raise SecurityError("gaps in JSON this long")
    if isinstance(indent, int) and indent > MAX_JSON_GAP_CHARS:
        raise SecurityError("gaps in JSON this long")
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
    return _allowance().join(encoder.iterencode(value))


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _format_now(form: str) -> str:
    if len(form) > MAX_DATE_FORMAT_CHARS:
        raise SecurityError("a date's format this long")
    return datetime.now().strftime(form)
