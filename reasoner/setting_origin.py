"""Where a setting comes from: a variable of the environment, or a line of a TOML file."""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

__all__ = ["LEVEL_MARK", "VARIABLE_PREFIX", "key_place", "misspelt_variables", "variable_of"]

VARIABLE_PREFIX = "REASONER_"
LEVEL_MARK = "__"
OTHER_VARIABLES = ("DEBUG", "CONFIG_DIR", "CACHE_DIR", "DATA_DIR")
"""Variables, without their prefix, that are no settings."""
MIN_SIMILARITY = 0.75
MAX_FILE_BYTES = 2**20
TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
KEY = re.compile(r"""\s*([\w.\-"' ]+?)\s*=""")


def variable_of(location: Sequence[int | str]) -> str | None:
    """The name of the variable that sets the value at a location such as `("engine", "threads")`;
    None where none that is not empty does."""
    names = [str(part).lower() for part in location]
    for count in range(len(names), 0, -1):
        wanted = VARIABLE_PREFIX.lower() + LEVEL_MARK.join(names[:count])
        for name, value in os.environ.items():
            if name.lower() == wanted and value:
                return name
    return None


def misspelt_variables(settings: Collection[str]) -> Iterable[tuple[str, str]]:
    """The variables of the environment that are no settings but are spelt much like one, each with
    the name of that one. `settings` are names such as `effort` and `engine__threads`.

    Others are passed over: Kubernetes sets some for a service of the name `reasoner`.
    """
    known = {*settings, *(name.lower() for name in OTHER_VARIABLES)}
    groups = {name.partition(LEVEL_MARK)[0] + LEVEL_MARK for name in settings}
    for variable, value in os.environ.items():
        if not variable.upper().startswith(VARIABLE_PREFIX) or not value:
            continue
        name = variable[len(VARIABLE_PREFIX) :].lower()
        is_member = any(name.startswith(group) for group in groups)
        if name not in known and not is_member:
            near = get_close_matches(name, known, n=1, cutoff=MIN_SIMILARITY)
            yield from ((variable, f"{VARIABLE_PREFIX}{match.upper()}") for match in near)


def key_place(file: Path, location: Sequence[int | str]) -> str:
    """The file and, where it is found, the line that sets the value at a location."""
    try:
        lines = file.read_text("utf-8", errors="replace")[:MAX_FILE_BYTES].splitlines()
    except OSError:
        return str(file)
    names = tuple(str(part) for part in location)
    for count in range(len(names), 0, -1):
        number = _line_number(lines, names[:count])
        if number is not None:
            return f"{file}, line {number}"
    return str(file)


def _line_number(lines: Iterable[str], names: tuple[str, ...]) -> int | None:
    table: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if heading := TABLE.match(line):
            table = _parts(heading[1])
            if table == names:
                return number
        elif (key := KEY.match(line)) and (*table, *_parts(key[1])) == names:
            return number
    return None


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
