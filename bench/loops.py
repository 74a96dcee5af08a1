"""How often the detector of loops takes a right reasoning for a loop, and how soon it notices one.

    python -m bench.loops DATA [REPLIES.jsonl …]

DATA is the folder with `gsm8k/train.jsonl` (field `solution`) and `processbench/*_dev.jsonl` (field
`steps`). Right reasonings are the solutions themselves, many of them in one text, and each with one
and two verbatim checks of itself. Loops are sentences of the solutions, again and again, with
changing words between. REPLIES hold a model's replies in `text`; those it takes for loops are
printed.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from reasoner.protocol.repetition import RepetitionDetector

PIECE_CHARS = 4
SOLUTIONS_PER_TEXT = 40
CIRCLES = 12
CHECKS = (
    "Wait, let me double-check this.",
    "Let me verify that by going through it again.",
    "Hmm, is that right? Once more:",
    "Let me read the question again and check each step.",
)


def chars_until_loop(text: str) -> int | None:
    """The characters of the text that are read before it is taken for a loop, or None."""
    detector = RepetitionDetector()
    for start in range(0, len(text), PIECE_CHARS):
        detector.add(text[start : start + PIECE_CHARS])
        if detector.is_loop:
            return start + PIECE_CHARS
    return None


def right_reasonings(data: Path) -> Iterator[tuple[str, list[str]]]:
    """The kinds of right reasonings, each with its texts."""
    solutions = [
        re.sub(r"<<.*?>>", "", row["solution"]) for row in _rows(data / "gsm8k" / "train.jsonl")
    ]
    files = sorted((data / "processbench").glob("*_dev.jsonl"))
    stepwise = ["\n\n".join(row["steps"]) for file in files for row in _rows(file)]
    starts = range(0, len(solutions), SOLUTIONS_PER_TEXT)
    yield "GSM8K solutions", solutions
    yield (
        "40 of them in one text",
        ["\n\n".join(solutions[start : start + SOLUTIONS_PER_TEXT]) for start in starts],
    )
    yield "ProcessBench solutions", stepwise
    for count, name in ((1, "once"), (2, "twice")):
        yield f"these, checked {name} word for word", [_checked(text, count) for text in stepwise]


def loops(data: Path) -> list[str]:
    """Solutions whose sentences come again and again, some left out, with other words between."""
    draw = random.Random(0)
    texts = []
    for row in list(_rows(data / "gsm8k" / "train.jsonl"))[:300]:
        sentences = re.split(r"(?<=[.!?])\s+|\n+", re.sub(r"<<.*?>>", "", row["solution"]))
        parts: list[str] = []
        while sum(map(len, parts)) < 4000:
            parts.append(draw.choice(CHECKS))
            kept = [sentence for sentence in sentences if draw.random() > 0.25]
            parts += [draw.choice(("So ", "Now, ", "Again, ", "")) + text for text in kept]
        texts.append(" ".join(parts))
    return texts


def _checked(text: str, count: int) -> str:
    return "\n\n".join([text, *(f"{CHECKS[i]}\n\n{text}" for i in range(count))])


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open() as lines:
        yield from map(json.loads, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("replies", type=Path, nargs="*")
    arguments = parser.parse_args()
    for name, texts in right_reasonings(arguments.data):
        found = sum(chars_until_loop(text) is not None for text in texts)
        print(f"{name}: {found} of {len(texts)} taken for loops", flush=True)
    chars = [chars_until_loop(text) for text in loops(arguments.data)]
    noticed = [count for count in chars if count is not None]
    print(f"loops: {len(noticed)} of {len(chars)} noticed, after {median(noticed)} characters")
    for file in arguments.replies:
        _report_replies(file, [str(row["text"]) for row in _rows(file)])


def _report_replies(file: Path, texts: Sequence[str]) -> None:
    found = [text for text in texts if chars_until_loop(text) is not None]
    print(f"{file.name}: {len(found)} of {len(texts)} taken for loops")
    for text in found:
        print(f"    … {text[-160:]!r}")


if __name__ == "__main__":
    main()
