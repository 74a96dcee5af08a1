"""Limits for chat templates, which are programs from files that anybody may have written.

Every operation that can make a text or a list much longer than its operands first counts what it
would make, and looks at the time.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

__all__ = ["AllowanceExceeded", "TemplateAllowance", "limited_filter"]

MAX_BASE_CHARS = 64 * 2**20
"""Characters and items that a rendering may make, beside a multiple of what it is given."""
INPUT_FACTOR = 32
"""How often a rendering may copy the text that it is given."""
MAX_PRODUCT_SIZE = 2**20
"""Limit of the length of a multiplied text or list, and of a count that is given to a function."""
MAX_POWER_EXPONENT = 64
MAX_INTEGER_BITS = 4096
MAX_FIELD_CHARS = 64
"""An estimate of what a field of a format string adds beside its value."""
ITERATING_FILTERS = ("join", "sum")
"""The filters that go through their input twice here, so that an iterator is made a list."""
WRITING_FILTERS = ("string", "pprint", "e", "escape", "forceescape", "safe", "xmlattr", "urlencode")
"""The filters that write out what is in a list."""
WIDE_FIELD = re.compile(r"\d{5}|\*|\{[^{}]*\{")
"""A field of a format string that is padded to a large or a computed width."""


class AllowanceExceeded(Exception):
    """A template makes more text than any prompt needs."""


class TemplateAllowance:
    """What one rendering may still make. `input_chars` is the length of the texts it is given,
    `deadline` when it must be done, in the time of `time.monotonic`."""

    def __init__(self, input_chars: int, deadline: float) -> None:
        self._remaining = MAX_BASE_CHARS + INPUT_FACTOR * input_chars
        self._deadline = deadline

    def charge(self, count: int) -> None:
        """Count characters or items. Raises AllowanceExceeded when they are too many, or it is too
        late."""
        self._remaining -= max(0, count)
        if self._remaining < 0:
            raise AllowanceExceeded("it makes too much text")
        if time.monotonic() > self._deadline:
            raise AllowanceExceeded("it takes too long")

    def charge_value(self, value: Any) -> None:
        """Count the characters of a value as text. Raises AllowanceExceeded."""
        if isinstance(value, str | bytes):
            self.charge(len(value))
        elif isinstance(value, Mapping):
            for item in value.items():
                self.charge_value(item)
        elif isinstance(value, list | tuple | set | frozenset):
            self.charge(2 * len(value))
            for item in value:
                self.charge_value(item)
        else:
            self.charge(8)

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items and count them. Raises AllowanceExceeded."""
        for item in items:
            self.charge(1)
            yield item

    def join(self, parts: Iterable[Any]) -> str:
        """The parts as one text. Raises AllowanceExceeded."""
        texts = []
        for part in parts:
            self.charge_value(part)
            texts.append(str(part))
        return "".join(texts)

    def check_operation(self, operator: str, left: Any, right: Any) -> None:
        """Count what a binary operation makes. Raises AllowanceExceeded."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**":
            if not numbers or abs(left) > MAX_PRODUCT_SIZE or abs(right) > MAX_POWER_EXPONENT:
                raise AllowanceExceeded("** with operands this large")
        elif numbers:
            if _bits(left) + _bits(right) > MAX_INTEGER_BITS:
                raise AllowanceExceeded(f"{operator} with operands this large")
        elif operator == "*":
            self._check_product(left, right)
        elif operator == "%" and isinstance(left, str | bytes):
            self.check_format(left, right if isinstance(right, tuple) else (right,))
        else:
            self.charge(_weight(left) + _weight(right))

    def _check_product(self, left: Any, right: Any) -> None:
        """Raises AllowanceExceeded for a sequence that is repeated too often."""
        sequence, count = (right, left) if isinstance(left, int) else (left, right)
        size = _length(sequence) * max(0, count) if isinstance(count, int) else 0
        if size > MAX_PRODUCT_SIZE:
            raise AllowanceExceeded("* with operands this large")
        self.charge(size)

    def check_format(self, pattern: Any, values: Iterable[Any]) -> None:
        """Count what a format string makes. Raises AllowanceExceeded."""
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else str(pattern)
        if WIDE_FIELD.search(text):
            raise AllowanceExceeded("a format with fields this wide")
        fields = text.count("%") + text.count("{")
        self.charge(len(text) + fields * MAX_FIELD_CHARS)
        for value in values:
            for _ in range(min(fields, MAX_PRODUCT_SIZE)):
                self.charge_value(value)

    def check_call(self, function: Any, arguments: tuple[Any, ...]) -> None:
        """Count what a call makes: of a method of text, above all. Raises AllowanceExceeded."""
        self.check_counts(arguments)
        method = getattr(function, "__wrapped__", function)  # Jinja wraps `str.format`
        text, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
        if not isinstance(text, str | bytes):
            return
        if name in ("format", "format_map"):
            self.check_format(text, arguments)
        else:
            self._check_text_method(text, name, arguments)

    def _check_text_method(self, text: Any, name: str, arguments: tuple[Any, ...]) -> None:
        """Raises AllowanceExceeded for a method that would make a text that is too long."""
        if name == "join" and arguments:
            self.check_joined(arguments[0], text)
        elif name == "replace" and len(arguments) > 1:
            self.check_replacement(text, arguments[0], arguments[1])
        elif name == "translate" and arguments and isinstance(arguments[0], Mapping):
            longest = max((_length(value) for value in arguments[0].values()), default=0)
            self.charge(len(text) * max(1, longest))
        elif name == "expandtabs":
            self.charge(len(text) + text.count("\t" if isinstance(text, str) else b"\t") * 1000)
        else:
            self.charge(len(text))

    def check_replacement(self, text: Any, old: Any, new: Any) -> None:
        """Count what a text is after a replacement. Raises AllowanceExceeded."""
        if isinstance(text, type(old)) and isinstance(text, str | bytes):
            self.charge(len(text) + text.count(old) * _length(new))

    def check_joined(self, parts: Any, separator: Any) -> None:
        """Count what parts are when they are joined. Raises AllowanceExceeded."""
        self.charge_value(parts)
        self.charge(_length(parts) * _length(separator))

    def check_counts(self, arguments: Iterable[Any]) -> None:
        """Count the numbers among arguments, which may be widths. Raises AllowanceExceeded for one
        that is too large."""
        for argument in arguments:
            if isinstance(argument, int) and abs(argument) > MAX_PRODUCT_SIZE:
                raise AllowanceExceeded("a count this large")
            if isinstance(argument, int):
                self.charge(argument)


def limited_filter(
    name: str, function: Callable[..., Any], allowance: Callable[[], TemplateAllowance]
) -> Callable[..., Any]:
    """A Jinja filter that counts what it makes before it does.

    It raises AllowanceExceeded. `allowance` returns the allowance of the rendering under way.
    """
    first = 1 if hasattr(function, "jinja_pass_arg") else 0  # Jinja puts its context first

    @wraps(function)  # keeps the mark by which Jinja knows that
    def limited(*arguments: Any, **options: Any) -> Any:
        current, values = allowance(), list(arguments[first:])
        if name in ITERATING_FILTERS and values and isinstance(values[0], Iterator):
            values[0] = list(current.counted(values[0]))
        current.check_counts([*values[1:], *options.values()])
        _check_filter(name, current, values + list(options.values()))
        return function(*arguments[:first], *values, **options)

    return limited


def _check_filter(name: str, allowance: TemplateAllowance, values: list[Any]) -> None:
    """Raises AllowanceExceeded for a filter that would make too much."""
    if not values:
        return
    value, *others = values
    if name == "replace" and len(others) > 1:
        allowance.check_replacement(str(value), str(others[0]), str(others[1]))
    elif name == "format":
        allowance.check_format(value, others)
    elif name == "join":
        allowance.check_joined(value, str(others[0]) if others else "")
    elif name in ("indent", "wordwrap"):
        _check_lines(allowance, value, others)
    elif name == "sum":
        allowance.charge(sum(map(_length, value)) if _is_sized(value) else 0)
    elif name in WRITING_FILTERS:
        allowance.charge_value(value)
    else:
        allowance.charge(_weight(value))


def _check_lines(allowance: TemplateAllowance, value: Any, others: list[Any]) -> None:
    """Raises AllowanceExceeded for lines that would become too long, or too many."""
    added = max(4, sum(other if isinstance(other, int) else _length(other) for other in others))
    allowance.charge(_length(value) + (str(value).count("\n") + 1) * added)
    longest = max(map(_length, others), default=0)
    allowance.charge(_length(value) * longest)


def _is_sized(value: Any) -> bool:
    return isinstance(value, str | bytes | list | tuple | dict | set | frozenset | range)


def _length(value: Any) -> int:
    return len(value) if _is_sized(value) else 0


def _weight(value: Any) -> int:
    """The length of a text; of a list as many times more as a reference is longer than a
    character."""
    return _length(value) * (1 if isinstance(value, str | bytes) else 8)


def _bits(number: float) -> int:
    return number.bit_length() if isinstance(number, int) else 0
