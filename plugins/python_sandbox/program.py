"""Assembling programs from the code blocks of a reply."""

import re
from collections.abc import Sequence

__all__ = [
    "MAX_CODE_CHARACTERS",
    "assemble_programs",
    "clean_spaces",
    "literal_numbers",
    "split_transcripts",
]

MAX_CODE_CHARACTERS = 100_000
_PROMPT = re.compile(r"(?m)^\s*>>> ")
_INDENTATION = re.compile(r"(?m)^[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_INVISIBLE = dict.fromkeys([0x200B, 0x2060, 0xFEFF], "")
_CONSTANT = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")


def assemble_programs(blocks: Sequence[str]) -> tuple[str, ...]:
    """Return the programs to try, in order: all blocks together, then the last block alone.

    Blocks that are interpreter transcripts (`>>>`) become doctests of the program.
    """
    plain, examples = split_transcripts(blocks)
    tests = f"\n\n__test__ = {{'examples': {examples!r}}}\n" if examples else ""
    whole = "\n\n".join(plain) + tests
    last = (plain[-1] if plain else "") + tests
    return tuple(dict.fromkeys(code for code in (whole, last) if code.strip())) or ("",)


def split_transcripts(blocks: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the blocks that are programs, and the text of those that are transcripts."""
    plain = tuple(block for block in blocks if not _is_transcript(block))
    return plain, "\n\n".join(block.strip() for block in blocks if _is_transcript(block))


def clean_spaces(block: str) -> str:
    """Return a block with plain spaces in its indentation, and without invisible characters.

    Replies that passed through a browser or an editor hold non-breaking spaces there.
    """
    block = block.replace("\r\n", "\n").translate(_INVISIBLE)
    return _INDENTATION.sub(lambda match: match[0].translate(_SPACES), block)


def _is_transcript(block: str) -> bool:
    lines = block.strip().splitlines()
    return bool(lines) and bool(_PROMPT.match(lines[0] + " "))


def literal_numbers(code: str) -> set[float]:
    """Return the numbers that occur literally in `code`."""
    return {float(number[:40]) for number in _CONSTANT.findall(code)}
