"""Assembling programs from the code blocks of a reply."""

import re
from collections.abc import Sequence

__all__ = [
    "MAX_CODE_CHARACTERS",
    "assemble_programs",
    "clean_spaces",
    "cut_prose",
    "literal_numbers",
    "may_be_altered",
    "split_transcripts",
]

MAX_CODE_CHARACTERS = 100_000
_PROMPT = re.compile(r"(?m)^\s*>>> ")
_INDENTATION = re.compile(r"(?m)^[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_INVISIBLE = dict.fromkeys([0x200B, 0x2060, 0xFEFF], "")
_DEFINITION = re.compile(r"(?m)^[ \t]*>>> (?:def|class) ")
_TYPED = re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: (.*))?$")
_CODE_LINE = re.compile(r"(?m)^(?:def |class |import |from \w|@\w|async def )")
_PROSE_LINE = re.compile(r"[A-Z][\w']*,? [\w']+ [^=()]*[:.!]?$|[A-Z][\w']*[:!]$")
_ALTERED = re.compile(
    r"[“”‘’„]|&(?:lt|gt|amp|quot|#39|nbsp);|(?m:^\s*1[.:|)]?\s+(?:def|import|from|class)\b)"
)
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
    transcripts = [block.strip() for block in blocks if _is_transcript(block)]
    if not plain and any(_DEFINITION.search(block) for block in transcripts):
        return tuple(map(_typed_lines, transcripts)), ""  # the program was typed at the prompt
    return plain, "\n\n".join(transcripts)


def cut_prose(block: str) -> str:
    """Return a reply without fences from its first line of code on, if prose comes before it."""
    first_line = next((line for line in block.splitlines() if line.strip()), "")
    start = _CODE_LINE.search(block)
    return block[start.start() :] if start and _PROSE_LINE.match(first_line) else block


def may_be_altered(block: str) -> bool:
    """Return whether a block shows signs of having been altered on its way: typographic quotes,
    entities of HTML, numbers before its lines; or that prose
    comes before them."""
    first_line = next((line for line in block.splitlines() if line.strip()), "")
    is_prose = _PROSE_LINE.match(first_line) and _CODE_LINE.search(block)
    return bool(_ALTERED.search(block) or is_prose)


def _typed_lines(transcript: str) -> str:
    """Return what was typed in a transcript, without prompts and output."""
    lines = (_TYPED.match(line) for line in transcript.splitlines())
    return "\n".join(line[1] or "" for line in lines if line)


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
