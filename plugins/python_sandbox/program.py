"""Assembling programs from the code blocks of a reply."""

import re
from collections.abc import Sequence

__all__ = ["MAX_CODE_CHARACTERS", "assemble_programs", "literal_numbers"]

MAX_CODE_CHARACTERS = 100_000
_PROMPT = re.compile(r"(?m)^\s*>>> ")
_CONSTANT = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def assemble_programs(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return the programs to try, in order: all blocks together, then the last block alone.

    Blocks that are interpreter transcripts (`>>>`) become doctests of the program.
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


def literal_numbers(code: str) -> set[float]:
    """Return the numbers that occur literally in `code`."""
    return {float(number[:40]) for number in _CONSTANT.findall(code)}
