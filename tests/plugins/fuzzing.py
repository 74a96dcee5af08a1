"""Fuzzed answers that carry code, read where nothing confines them, beside two canaries.

Run as a program it reads the strings START to COUNT of a seed and prints each one's number; `fuzz`
starts it in a directory of its own, with a canary file in it and a canary variable in its
environment, and starts it anew behind a string that takes too long. The last line of output says
what became of the canaries.
"""

import os
import random
import select
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ANSWERS", "PAYLOADS", "Outcome", "fuzz", "read", "strings"]

ROOT = Path(__file__).parents[2]
FILE, VARIABLE, UNTOUCHED = "canary", "CANARY", "untouched"
PAYLOADS = (
    "open('canary','w').write('x')",
    "__import__('os').environ.__setitem__('CANARY','x')",
    "__import__('pathlib').Path('canary').write_text('x')",
    "exec(\"import os; os.environ['CANARY']='x'\")",
    "eval(compile(\"open('canary','w')\",'','exec'))",
    "(lambda: open('canary','w'))()",
    "[open('canary','w') for _ in range(1)]",
    "().__class__.__base__.__subclasses__()[0].__init__.__globals__['os'].remove('canary')",
    "Symbol('x').__init__.__globals__['__builtins__']['open']('canary','w')",
    "__import__('os').system('touch canary; echo x > canary')",
    "globals().__setitem__('x', open('canary','w'))",
    r"\input{|'rm canary'}",
    r"\write18{rm canary}",
    "$(rm canary)",
    "`rm canary`",
    "; rm canary #",
    "{0.__class__.__init__.__globals__}",
    "${__import__('os').remove('canary')}",
    "{{__import__('os').remove('canary')}}",
    "!!python/object/apply:os.remove ['canary']",
)
ANSWERS = (
    "18", "1,000", "$18.50", r"\frac{1}{2}", "50%", "3 1/2", "1e6", r"0.\overline{3}", "5 kg",
    "52_8", "]1,2[", "y=2x+1", "x^2+C", r"e^{i\pi}", "(B)", "Yes", r"\text{Evelyn}", "x=5", "(1,2)",
    r"\{1,2\}", r"3 \pm 2\sqrt{2}", "(x+1)^2", r"\sqrt{53}", "x > 5", r"x \in [-2,7]", "2**10",
    r"\begin{pmatrix}1\\2\end{pmatrix}", "12:30", "6!", "1+274i", r"(5,\infty)", r"90^\circ",
    r"\tan^2(y)+1", r"\boxed{(2, 2)} \text{ and } \boxed{(6, 2)}", r"7 \pmod{12}", "sqrt(2)",
    "3 * 18 = 54", "2x + 1 = 7, so x = 3", "3 km = 3000 m", "Use 4 7 8 8 to make 24",
    "8 / (3 - 8/3) = 24", r"\log_2 8", r"\binom{5}{2}", r"\sum_{k=1}^{3} k", "twenty-five",
)  # fmt: skip
_WIDE = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
_WIDE_LETTERS = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x61, 0x7B)})
_WRAPS = ("{}", "${}$", r"\boxed{{{}}}", r"\text{{{}}}", r"\frac{{{}}}{{2}}", "x = {}", r"\({}\)",
          r"\operatorname{{{}}}(1)", r"\mathrm{{{}}}", "({})", "{} = 4", "f({})", "[{}, 1]", "'{}'",
          r"\begin{{pmatrix}}{}\end{{pmatrix}}", "Final answer: {}", "{}^2",
          r"\sqrt{{{}}}")  # fmt: skip


def strings(count: int, seed: int) -> list[str]:
    """The first `count` strings of a seed: answers and payloads, joined, wrapped and garbled."""
    dice = random.Random(seed)
    return [_string(dice) for _ in range(count)]


def _string(dice: random.Random) -> str:
    payload, answer = dice.choice(PAYLOADS), dice.choice(ANSWERS)
    at = dice.randint(0, len(answer))
    text = dice.choice(
        (payload, answer, answer[:at] + payload + answer[at:], f"{answer} {payload}")
    )
    for _ in range(dice.randint(0, 3)):
        text = dice.choice(_WRAPS).format(text)
    for _ in range(dice.choice((0, 0, 1, 3))):
        text = dice.choice(_GARBLES)(text, dice)
    return text[:400]


def _swap(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice("\\{}$^_()[]=+-*/%,;:'\"0xe \n\0\u200bΣ") + text[at + 1 :]


_GARBLES: tuple[Callable[[str, random.Random], str], ...] = (
    _swap,
    lambda text, dice: text.translate(_WIDE),
    lambda text, dice: text.translate(_WIDE_LETTERS),
    lambda text, dice: text[dice.randrange(len(text) + 1) :],
    lambda text, dice: text[: dice.randrange(len(text) + 1)],
    lambda text, dice: text.replace("(", r"\left(").replace(")", r"\right)"),
    lambda text, dice: text.replace("'", dice.choice(('"', "’", "\\'"))),
    lambda text, dice: text + dice.choice(ANSWERS),
)


def read(text: str, other: str) -> None:
    """Every way in which the two plugins read a text."""
    import number_puzzle
    from reasoner.types.problem import Problem
    from reasoner.types.verdict import Submission
    from sympy_check.equality import compare
    from sympy_check.solutions import check_solution
    from sympy_check.steps import check_texts

    for call in (
        lambda: compare(other, text),
        lambda: compare(text, other),
        lambda: check_texts([text, f"{text} = 4"]),
        lambda: check_solution(f"Solve for $x$: {text}", text),
        lambda: number_puzzle.verify(
            Problem(question=f"Use 4 7 8 8 to make 24. {text}"), Submission(answer=text, final=text)
        ),
    ):
        try:
            call()
        except RecursionError:
            continue
        except Exception as error:  # the worker answers with the error; here it is only shown
            print(
                f"{type(error).__name__}: {error}"[:200].encode("ascii", "replace"), file=sys.stderr
            )


def _execute(text: str, other: str) -> None:
    """What must not happen, to show that it would be seen."""
    import contextlib

    import sympy

    with contextlib.suppress(Exception, SystemExit):
        sympy.sympify(text)


@dataclass(frozen=True)
class Outcome:
    """`read` strings were read, `late` ones given up; whether each canary is as it was."""

    read: int
    late: tuple[str, ...]
    file_untouched: bool
    variable_untouched: bool
    strangers: tuple[str, ...]


def fuzz(count: int, seed: int, directory: Path, seconds: float, execute: bool = False) -> Outcome:
    """Read `count` strings, each for `seconds` at most.

    `execute` has sympy run the bare payloads instead: the control, which must touch both canaries.
    """
    (directory / FILE).write_text(UNTOUCHED)
    texts = list(PAYLOADS) if execute else strings(count, seed)
    count = len(texts)
    late: list[str] = []
    intact, start = True, 0
    while start < count:
        reached, clean = _session(start, count, seed, directory, seconds, execute)
        intact &= clean
        if reached < count:
            late.append(texts[reached])
        start = reached + 1
    file = directory / FILE
    left = tuple(sorted(path.name for path in directory.iterdir() if path.name != FILE))
    same = file.is_file() and file.read_text() == UNTOUCHED
    return Outcome(count - len(late), tuple(late), same, intact, left)


def _session(
    start: int, count: int, seed: int, directory: Path, seconds: float, execute: bool
) -> tuple[int, bool]:
    """The number of the string at which one process stopped, and its canary variable's state."""
    arguments = [str(start), str(count), str(seed), "execute" if execute else "read"]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.plugins.fuzzing", *arguments],
        cwd=directory,
        env=os.environ | {VARIABLE: UNTOUCHED, "PYTHONPATH": str(ROOT), "MPMATH_NOGMPY": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        reached, intact, pending = start, True, b""
        while select.select([process.stdout], [], [], seconds + (10 if reached == start else 0))[0]:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                number, state = line.split()
                reached, intact = int(number), intact and state == b"1"
        process.kill()
    return reached, intact


def main() -> None:
    start, count, seed = map(int, sys.argv[1:4])
    work = _execute if sys.argv[4] == "execute" else read
    texts = list(PAYLOADS) if sys.argv[4] == "execute" else strings(count, seed)
    out = os.dup(1)
    for number in range(start, count):
        work(texts[number], ANSWERS[number % len(ANSWERS)])
        intact = os.environ.get(VARIABLE) == UNTOUCHED
        os.write(out, f"{number + 1} {int(intact)}\n".encode())


if __name__ == "__main__":
    main()
