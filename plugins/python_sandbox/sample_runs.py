"""Whole programs that read their input, against the samples that the question gives."""

import re
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from python_sandbox.execution import ProgramRun
from python_sandbox.judge import build_verdict
from python_sandbox.program import assemble_programs
from python_sandbox.run import run_python
from reasoner.types.verdict import Outcome, Verdict

__all__ = ["SampleRun", "find_sample_runs", "judge_sample_runs"]

MAX_SAMPLES = 10
MAX_QUESTION_CHARACTERS = 100_000
_READS = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\s*\(\s*0")
_HEAD = re.compile(
    r"(?im)^[ \t#*>-]*(?:sample|example)?[ \t]*(in|out)put[ \t]*(?:#?\d+)?[ \t*]*:?[ \t*]*(.*)$"
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)\w*[ \t]*$")
_STOP = re.compile(r"(?i)^[ \t#*]*(?:explanation|note|constraints|example|sample|hint)\b")
_RELATIVE_TOLERANCE = 1e-6


class SampleRun(NamedTuple):
    """What a program reads, and what it is to print."""

    stdin: str
    stdout: str


def find_sample_runs(question: str, blocks: Sequence[str]) -> list[SampleRun]:
    """Return the samples of a question for a program that reads its standard input.

    They are pairs of blocks under `Input:` and `Output:`. None for a program that reads nothing.
    """
    if not any(_READS.search(block) for block in blocks):
        return []
    heads = list(_HEAD.finditer(question[:MAX_QUESTION_CHARACTERS]))
    samples = []
    for first, second in pairwise(heads):
        if (first[1].lower(), second[1].lower()) == ("in", "out"):
            after = next((head.start() for head in heads if head.start() > second.start()), None)
            stdin = _body(first[2], question[first.end() : second.start()])
            stdout = _body(second[2], question[second.end() : after])
            if stdout.strip() and not stdin.lstrip().lower().startswith(("the ", "a ", "an ")):
                samples.append(SampleRun(stdin, stdout))
    return samples[:MAX_SAMPLES]


def judge_sample_runs(
    samples: Sequence[SampleRun], blocks: Sequence[str], deadline: float
) -> Verdict:
    """Run the program on each sample; all must print what is stated."""
    code, passes = assemble_programs(blocks)[0], 0
    run = ProgramRun(outcome="ok")
    for sample in samples:
        seconds = max(0.5, deadline - time.monotonic())
        run = run_python(code, stdin=sample.stdin, seconds=seconds)
        if run.outcome != "ok":
            is_open = run.outcome == "refused" or (run.outcome == "timeout" and not run.is_busy)
            is_open = is_open or run.kind in ("EOFError", "ModuleNotFoundError")
            reason = f"on a sample input: {run.error or run.outcome}"
            return build_verdict(Outcome.UNKNOWN if is_open else Outcome.FAIL, reason, run, 0.3)
        if not _prints_same(run.stdout, sample.stdout):
            reason = (
                f"a sample prints {run.stdout.strip()[:80]!r}, not {sample.stdout.strip()[:80]!r}"
            )
            is_open = _holds(run.stdout, sample.stdout)
            return build_verdict(Outcome.UNKNOWN if is_open else Outcome.FAIL, reason, run, 0.4)
        passes += 1
    return build_verdict(Outcome.PASS, f"{passes} of {passes} samples pass", run, 0.9)


def _body(first_line: str, text: str) -> str:
    """Return the lines of a sample, without fences and without what follows it."""
    lines = [first_line] if first_line.strip() else []
    is_fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            if is_fenced:
                break
            is_fenced = True
        elif not is_fenced and (_STOP.match(line) or (not line.strip() and lines)):
            break
        elif line.strip() or is_fenced:
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"


def _prints_same(got: str, want: str) -> bool:
    """Return whether two outputs have the same words, and numbers up to rounding."""
    mine, theirs = got.split(), want.split()
    return len(mine) == len(theirs) and all(map(_same_word, mine, theirs))


def _same_word(mine: str, other: str) -> bool:
    if mine == other:
        return True
    if "." not in other or not re.fullmatch(r"-?\d{1,30}\.\d{1,30}", other):
        return False
    try:
        return abs(float(mine) - float(other)) <= _RELATIVE_TOLERANCE * max(1.0, abs(float(other)))
    except ValueError:
        return False


def _holds(got: str, want: str) -> bool:
    """Return whether the stated words are among the printed ones, as after a prompt."""
    return " ".join(want.split()).lower() in " ".join(got.split()).lower()
