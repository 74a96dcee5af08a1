"""One program out of a reply's code blocks."""

import re
from collections.abc import Sequence

__all__ = ["MAX_CODE", "constants", "programs"]

MAX_CODE = 100_000
_PROMPT = re.compile(r"(?m)^\s*>>> ")
_CONSTANT = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def programs(blocks: Sequence[str]) -> tuple[str, ...]:
    """What is worth running, in order of preference: all blocks together, then the last alone.

    Blocks of an interpreter's transcript (`>>>`) become doctests of the others.
    """
    plain = [block for block in blocks if not _is_transcript(block)]
    examples = "\n\n".join(block.strip() for block in blocks if _is_transcript(block))
    tests = f"\n\n__test__ = {{'examples': {examples!r}}}\n" if examples else ""
    whole = "\n\n".join(plain) + tests
    last = (plain[-1] if plain else "") + tests
    return tuple(dict.fromkeys(code for code in (whole, last) if code.strip()))


def _is_transcript(block: str) -> bool:
    lines = block.strip().splitlines()
    return bool(lines) and bool(_PROMPT.match(lines[0] + " "))


def constants(code: str) -> set[float]:
    """The numbers a program spells out, however it writes them."""
    return {float(number[:40]) for number in _CONSTANT.findall(code)}
