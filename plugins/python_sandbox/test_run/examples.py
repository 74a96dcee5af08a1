r"""Finding the examples that a question gives for a function, in their usual notations.

`f(2) == 3`, `f(2) => 3`, `f(2) returns 3`, "For x = 2 the output should be 3", `Input: x = 2`
over `Output: 3`. (`>>> f(2)` is read by `doctest`, in `transcript`.) It runs inside the sandbox,
because it parses untrusted text. Anything that is not certainly an example is left out, because a
wrong example would refute right answers.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

__all__ = ["MAX_EXAMPLES", "Example", "find_examples"]

MAX_EXAMPLES = 50
MAX_LITERAL_CHARACTERS = 2000
_EQUALS = re.compile(
    r"[ \t]*(?:#[ \t]*)?(?:={1,3}>|-{1,2}>|={1,2}|[➞→⇒]|(?:should |must |will )?returns?\b|"
    r"(?:should|must|will) be\b|gives\b|evaluates to\b|(?:prints|outputs|displays)\b:?)[ \t]*"
)
_NUMBER = re.compile(r"[-+]?(?:\d[\d_]*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"(?:True|False|None|true|false|null)\b")
_JSON_WORDS = {"true": True, "false": False, "null": None}
_CHAIN = re.compile(r"[ \t]*[-+*/%][^=\n]*=[ \t]*")
_TAIL = re.compile(r"[\w\"'\[({]|[ \t]*(?:[-+*/%<>=]|(?:and(?![ \t]+\w+\()|or|if|for|in|is|not)\b)")
_FOR = re.compile(r"(?i)\b(?:for|if|when|given)\s+(\w+)\s*=\s*")
_OUTPUT = re.compile(
    r"(?i)[^\n]{0,200}?\b(?:output|result|answer|function|it)\s+"
    r"(?:should be|should return|must be|will be|returns|is)\s*"
)
_INPUT = re.compile(r"(?im)^[ \t]*inputs?[ \t]*:[ \t]*(\S.*?)[ \t]*\n\s*outputs?[ \t]*:[ \t]*")
_MARKUP = re.compile(
    r"(?i)(?<!`)`(?!`)|\*\*(?=[ \t]*(?:in|out)puts?\b)|(?<=put)\*\*|(?<=puts)\*\*|(?<=put:)\*\*"
)
"""Code spans around examples, and bold type of `Input` and `Output`."""
_OPEN = {"(": ")", "[": "]", "{": "}"}


class Example(NamedTuple):
    """An example: `call` is the source of an expression whose value is one of `outcomes`."""

    call: str
    outcomes: tuple[Any, ...]


def find_examples(
    text: str, names: Iterable[str], function: str | None, parameters: tuple[str, ...]
) -> list[Example]:
    """Return calls of `names`, and of `function` with the given inputs, with the stated results."""
    examples: list[tuple[int, Example]] = []
    text = _MARKUP.sub("", text)
    known = {*names}
    for name in sorted(known):
        examples += _calls(text, name, known)
    if function is not None and not examples:
        examples += [*_inputs(text, function, parameters), *_fors(text, function, parameters)]
    return [example for _, example in sorted(examples, key=lambda item: item[0])][:MAX_EXAMPLES]


def _calls(text: str, name: str, known: set[str]) -> Iterator[tuple[int, Example]]:
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\(", text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if ">>>" in line or "..." in line or re.search(r"\b(?:def|return)\s+$|\w\($", line):
            continue
        end = _closing(text, match.end() - 1)
        equals = _EQUALS.match(text, end) if end else None
        call = text[match.start() : end]
        if equals and _is_concrete(call, known) and (outcomes := _literal(text, equals.end())):
            yield match.start(), Example(call, outcomes)


def _is_concrete(call: str, known: set[str]) -> bool:
    """Return whether all arguments are given values, unlike in `f(n)` or `f(...)`."""
    try:
        parts = list(ast.walk(ast.parse(call, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names <= known and not any(
        isinstance(part, ast.Constant) and part.value is ... for part in parts
    )


def _inputs(text: str, function: str, parameters: tuple[str, ...]) -> Iterator[tuple[int, Example]]:
    for match in _INPUT.finditer(text):
        call = _call(function, match[1], parameters)
        if call and (outcomes := _literal(text, match.end())):
            if isinstance(outcomes[0], list):  # the notation has no tuples
                outcomes = (*outcomes, tuple(outcomes[0]))
            yield match.start(), Example(call, outcomes)


def _fors(text: str, function: str, parameters: tuple[str, ...]) -> Iterator[tuple[int, Example]]:
    if len(parameters) != 1:
        return
    for match in _FOR.finditer(text):
        end = _extent(text, match.end())
        output = _OUTPUT.match(text, end) if end else None
        if match[1] in parameters and output and (outcomes := _literal(text, output.end())):
            yield match.start(), Example(f"{function}({text[match.end() : end]})", outcomes)


def _call(function: str, arguments: str, parameters: tuple[str, ...]) -> str | None:
    """Return a call of `function` with the arguments in order, if their number fits, or None."""
    try:
        call = ast.parse(f"f({arguments[:MAX_LITERAL_CHARACTERS]})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(call, ast.Call):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    values = call.args or [named[name] for name in parameters if name in named]
    if not values and len(named) == len(parameters):  # the program has names of its own
        values = list(named.values())
    if len(values) != len(parameters) or (call.args and named):
        return None
    return f"{function}({', '.join(ast.unparse(value) for value in values)})"


def _literal(text: str, start: int) -> tuple[Any, ...] | None:
    """Return the values that the literal at `start` may mean, or None when it is unclear."""
    if chain := _CHAIN.match(text, _extent(text, start) or start):  # 19 - 5 - 6 = 8
        start = chain.end()
    end = _extent(text, start)
    if end is None or _TAIL.match(text, end):
        return None
    source = text[start:end]
    if source in _JSON_WORDS:
        return (_JSON_WORDS[source],)
    try:
        value = ast.literal_eval(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if source.startswith("(") and not isinstance(value, tuple):
        return value, (value,)  # people write ("x") for ("x",)
    return (value,)


def _extent(text: str, start: int) -> int | None:
    """Return the index of the end of the literal that begins at `start`."""
    head = text[start : start + 1]
    if head in _OPEN:
        return _closing(text, start)
    if head in ("'", '"'):
        return _quoted(text, start)
    match = _NUMBER.match(text, start) or _WORD.match(text, start)
    return match.end() if match else None


def _closing(text: str, start: int) -> int | None:
    """Return the index after the bracket that closes the one at `start`, or None."""
    stack: list[str] = []
    position, stop = start, min(len(text), start + MAX_LITERAL_CHARACTERS)
    while position < stop:
        character = text[position]
        if character in ("'", '"'):
            after = _quoted(text, position)
            if after is None:
                return None
            position = after
            continue
        if character in _OPEN:
            stack.append(_OPEN[character])
        elif character in ")]}" and (not stack or stack.pop() != character):
            return None
        position += 1
        if not stack:
            return position
    return None


def _quoted(text: str, start: int) -> int | None:
    """Return the index after the quote that ends the one-line string at `start`, or None."""
    position = start + 1
    while position < len(text) and text[position] != "\n":
        if text[position] == "\\":
            position += 1
        elif text[position] == text[start]:
            return position + 1
        position += 1
    return None
