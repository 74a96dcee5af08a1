"""Readers of tool calls: from what a model wrote between its marks to a name and arguments.

A family writes calls in one of a few notations. Every reader takes the text and the names of the
tools, and returns None for a text that is not in its notation. The text is hostile: it is bounded,
and nothing in it is evaluated.
"""

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from reasoner.protocol.bounded_json import decode_json, repair_json

__all__ = ["RawCall", "call_from_json", "decode_text", "known_name", "read_call"]

NAME_KEYS = ("name", "tool_name", "function", "tool", "recipient_name")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "tool_input")
WRAPPER_KEYS = ("function", "function_call", "tool_call", "tool_calls")
MAX_WRAPPERS = 4
MAX_HEAD_CHARS = 200
FENCE = re.compile(r"\A```\w{0,12}\s*")
MARK = re.compile(r"<[^<>\n]{1,60}>|\[[A-Z_]{2,30}\]")
LEADING_MARKS = re.compile(r"\A(?:\s|<[^<>\n]{1,60}>)+")
HEAD = re.compile(r"[\w.:\-\s`]*\Z")
NAME = r"[\"']?([\w.:-]{1,64})[\"']?"
NAME_TAG = re.compile(
    rf"<[^<>\s=]{{0,20}}(?:function|invoke|tool)[^<>\s=]{{0,20}}(?:=|\sname=){NAME}[^<>\n]{{0,60}}>"
)
PARAMETER = re.compile(
    rf"<[^<>\s=]{{0,20}}param(?:eter)?(?:=|\sname=){NAME}[^<>\n]{{0,60}}>"
    r"(.*?)(?:</[^<>\s]{0,20}param(?:eter)?>|(?=</[^<>\s]{0,20}(?:function|invoke))|\Z)",
    re.DOTALL,
)
ARGUMENT_PAIR = re.compile(
    r"<arg_key>([^<]{1,80})</arg_key>\s*<arg_value>(.*?)(?:</arg_value>|\Z)", re.DOTALL
)
PYTHON_STRING = (
    r"\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}"
    r"|\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"
)
PYTHON_CALL = re.compile(
    rf"\[?\s*([\w.]{{1,64}})\(\s*(?:(\w{{1,64}})\s*=\s*)?({PYTHON_STRING})", re.DOTALL
)
DELIMITED = re.compile(
    r"\s*call:\s*([\w.:-]{1,64})\s*\{\s*(\w{1,64})\s*:\s*(<[^<>\s]{1,12}>)(.*?)\3", re.DOTALL
)


@dataclass(frozen=True)
class RawCall:
    """A call as it was written: a name, and a mapping of arguments, a text, or None."""

    name: str
    arguments: object


def read_call(text: str, names: Collection[str]) -> RawCall | None:
    """Return the call in `text`, in whichever notation it is written, or None."""
    for reader in (_json, _tagged, _argument_keys, _delimited, _named_json, _python):
        if (call := reader(text, names)) is not None:
            return call
    return None


def known_name(words: Iterable[str], names: Collection[str]) -> str | None:
    """Return the first tool among `words`, which may carry a namespace (`functions.python`), a
    call's number (`python:0`) or capital letters."""
    by_lower = {name.lower(): name for name in names}
    for word in words:
        bare = word.lower().partition(":")[0]
        for candidate in (bare, bare.rpartition(".")[2]):
            if candidate in by_lower:
                return by_lower[candidate]
    return None


def call_from_json(value: object, names: Collection[str], depth: int = 0) -> RawCall | None:
    """Return the call that a JSON value describes: `{"name": …, "arguments": …}` under the usual
    names of the keys, OpenAI's `{"function": {…}}`, `{NAME: {…}}`, or the first of a list."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict) or depth > MAX_WRAPPERS:
        return None
    for key in WRAPPER_KEYS:
        if isinstance(value.get(key), dict | list):
            return call_from_json(value[key], names, depth + 1)
    name = next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)
    if name is None:
        tool = known_name(map(str, value), names) if len(value) == 1 else None
        return None if tool is None else RawCall(tool, next(iter(value.values())))
    arguments = next((value[key] for key in ARGUMENT_KEYS if key in value), None)
    if arguments is None:
        arguments = {key: item for key, item in value.items() if key not in NAME_KEYS}
    return RawCall(name, decode_text(arguments))


def decode_text(arguments: object) -> object:
    """Return the arguments of a text that holds a JSON object, anything else as it is."""
    if isinstance(arguments, str) and arguments.lstrip().startswith("{"):
        value = decode_json(arguments.strip())
        if value is not None and isinstance(value[0], dict):
            return value[0]
    return arguments


def _json(text: str, names: Collection[str]) -> RawCall | None:
    """Read Hermes' notation: a JSON object, or a list of them."""
    text = FENCE.sub("", LEADING_MARKS.sub("", text).strip(), count=1)
    if not text.startswith(("{", "[")):
        return None
    values = (decode_json(variant) for variant in repair_json(text))
    calls = (call_from_json(value[0], names) for value in values if value is not None)
    return next((call for call in calls if call is not None), None)


def _named_json(text: str, names: Collection[str]) -> RawCall | None:
    """Read Mistral's, DeepSeek's, Kimi's and harmony's notation: a name, marks, JSON arguments."""
    head, brace, _ = text[:MAX_HEAD_CHARS].partition("{")
    words = MARK.sub(" ", head)
    if not brace or not words.strip() or not HEAD.match(words):
        return None
    name = known_name(words.split(), names) or words.split()[0]
    for variant in repair_json(text[len(head) :]):
        value = decode_json(variant)
        if value is not None and isinstance(value[0], dict):
            return RawCall(name, value[0])
    return None


def _tagged(text: str, _names: Collection[str]) -> RawCall | None:
    """Read `<function=NAME><parameter=KEY>VALUE</parameter>` (Qwen3-Coder, Seed-OSS), and the same
    with `<invoke name="NAME">` (MiniMax, DeepSeek V3.2) or with JSON inside (Functionary)."""
    tag = NAME_TAG.search(text)
    if tag is None:
        return None
    inside = text[tag.end() :]
    arguments = {match[1]: _without_edges(match[2]) for match in PARAMETER.finditer(inside)}
    if arguments:
        return RawCall(tag[1], arguments)
    values = (decode_json(variant) for variant in repair_json(inside.partition("</")[0]))
    value = next((value for value in values if value is not None), None)
    return None if value is None else RawCall(tag[1], decode_text(value[0]))


def _argument_keys(text: str, _names: Collection[str]) -> RawCall | None:
    """Read GLM's notation: a name, then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>`."""
    head, key, rest = text.partition("<arg_key>")
    words = MARK.sub(" ", head[-MAX_HEAD_CHARS:]).split()
    arguments = {
        match[1].strip(): _without_edges(match[2]) for match in ARGUMENT_PAIR.finditer(key + rest)
    }
    return RawCall(words[-1], arguments) if words and arguments else None


def _delimited(text: str, _names: Collection[str]) -> RawCall | None:
    """Read Gemma's notation: `call:NAME{KEY:<escape>VALUE<escape>}`."""
    match = DELIMITED.match(text)
    return RawCall(match[1], {match[2]: match[4]}) if match else None


def _python(text: str, names: Collection[str]) -> RawCall | None:
    """Read LFM2's and Llama 4's notation: `[NAME(KEY="VALUE")]`, with a known name."""
    match = PYTHON_CALL.match(text.strip())
    name = known_name([match[1]], names) if match else None
    if match is None or name is None:
        return None
    value = _python_string(match[3])
    return RawCall(name, {match[2]: value} if match[2] else value)


def _python_string(literal: str) -> str:
    """Return the text of a Python string literal, also of one with line breaks in it."""
    if not literal.startswith(('"""', "'''")):
        literal = literal.replace("\n", "\\n")
    try:
        return str(ast.literal_eval(literal))
    except (ValueError, SyntaxError):
        return literal.strip("\"'")


def _without_edges(value: str) -> str:
    """Return a value without the line breaks that set it off from its tags."""
    return value.removeprefix("\n").removesuffix("\n")
