"""Equality of answers: our comparison against Math-Verify's own, on labelled pairs.

    python -m bench.equality CASES.jsonl [--seconds 5] [--show]

Each line has `gold`, `pred` and `expected` (1 equal, 0 not), perhaps `precision` (decimals that
count). Both texts may be whole replies: Math-Verify extracts with its own parser, as its tests
do; ours with `reasoner.answers.extraction`. An undecided comparison agrees with neither label; how
often it would merely have withheld a wrong "equal" is told apart. Math-Verify runs in a child
that is killed when late.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import sympy_check
from reasoner.answers.extraction import extract_final_answer
from reasoner.types.verdict import Outcome

Row = dict[str, Any]
Judge = Callable[[Row, float], bool | None]


def load(path: Path) -> list[Row]:
    """The labelled pairs; upstream's files call the label `expected` or `result`."""
    rows = [json.loads(line) for line in path.read_text().split("\n") if line.strip()]
    return [row | {"expected": bool(row.get("expected", row.get("result")))} for row in rows]


def ours(row: Row, seconds: float) -> bool | None:
    """Our opinion; None when undecided."""
    gold, said = row["gold"], extract_final_answer(row["pred"]) or row["pred"]
    outcome, _ = sympy_check.compare(gold, said, seconds, places=int(row.get("precision", 6)))
    return {Outcome.PASS: True, Outcome.FAIL: False}.get(outcome)


class MathVerify:
    """Math-Verify called as its own tests call it, in a child that can be killed."""

    def __init__(self) -> None:
        self._start()

    def __call__(self, row: Row, seconds: float) -> bool | None:
        self._pipe.send((row["gold"], row["pred"], int(row.get("precision", 6))))
        if not self._pipe.poll(seconds):
            self.close()
            self._start()
            return None
        return bool(self._pipe.recv())

    def close(self) -> None:
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self._pipe.send(("1", "1", 6))
        self._pipe.recv()


def _serve(pipe: Connection) -> None:
    import logging

    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

    logging.disable(logging.CRITICAL)
    configs = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
    while True:
        gold, pred, places = pipe.recv()
        try:
            sides = [parse(text, configs, parsing_timeout=None) for text in (gold, pred)]
            pipe.send(verify(*sides, float_rounding=places, timeout_seconds=None))
        except Exception:
            pipe.send(False)


def measure(name: str, judge: Judge, rows: list[Row], seconds: float, show: bool) -> None:
    """Print agreements, undecided pairs, times and, if asked, each disagreement."""
    said, took = [], []
    for row in rows:
        begun = time.perf_counter()
        said.append(judge(row, seconds))
        took.append(time.perf_counter() - begun)
    pairs = list(zip(rows, said, strict=True))
    agreed = sum(opinion == row["expected"] for row, opinion in pairs)
    withheld = sum(opinion is None and not row["expected"] for row, opinion in pairs)
    print(
        f"{name}: {agreed} of {len(rows)} agree ({agreed + withheld} if undecided counts as not "
        f"equal); {said.count(None)} undecided; median {median(took) * 1000:.1f} ms, "
        f"slowest {max(took):.2f} s, {sum(t >= seconds for t in took)} at the limit"
    )
    for row, opinion in pairs if show else ():
        if opinion != row["expected"]:
            print(
                f"  {opinion} for {row['expected']}: {row['gold'][-90:]!r} | {row['pred'][-90:]!r}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--show", action="store_true", help="list the disagreements")
    options = parser.parse_args()
    rows = load(options.cases)
    peer = MathVerify()
    measure("Math-Verify", peer, rows, options.seconds, options.show)
    peer.close()
    measure("sympy_check", ours, rows, options.seconds, options.show)
    sympy_check.close()


if __name__ == "__main__":
    main()
