"""Equality of answers: our comparison against Math-Verify's own, on labelled pairs.

    python -m bench.equality CASES.jsonl [--seconds 5] [--show]

Each line has `gold`, `pred` and `expected` (1 equal, 0 not), perhaps `precision` (decimals that
count). Both texts may be whole replies: Math-Verify extracts with its own parser, as its tests
do; ours with `reasoner.answers.extraction`. An undecided comparison agrees with neither label; how
often it would merely have withheld a wrong "equal" is counted apart. Math-Verify runs in a child
that is killed when late.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import sympy_check
from bench.json_lines import JsonRow, read_json_lines
from reasoner.answers.extraction import extract_final_answer
from reasoner.types.verdict import Outcome

EqualityJudge = Callable[[JsonRow, float], bool | None]
"""Whether the texts of a pair are equal, within some seconds; None: undecided."""


def load_pairs(path: Path) -> list[JsonRow]:
    """Return the labelled pairs; Math-Verify's files call the label `expected` or `result`."""
    return [
        row | {"expected": bool(row.get("expected", row.get("result")))}
        for row in read_json_lines(path)
    ]


def sympy_check_opinion(row: JsonRow, seconds: float) -> bool | None:
    """Return whether sympy_check finds the pair equal; None when undecided."""
    gold, answer = row["gold"], extract_final_answer(row["pred"]) or row["pred"]
    outcome, _ = sympy_check.compare(gold, answer, seconds, places=int(row.get("precision", 6)))
    return {Outcome.PASS: True, Outcome.FAIL: False}.get(outcome)


class MathVerify:
    """Math-Verify called as its own tests call it, in a child that can be killed."""

    def __init__(self) -> None:
        self._start()

    def __call__(self, row: JsonRow, seconds: float) -> bool | None:
        self._pipe.send((row["gold"], row["pred"], int(row.get("precision", 6))))
        if not self._pipe.poll(seconds):
            self.close()
            self._start()
            return None
        return bool(self._pipe.recv())

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, child_pipe = context.Pipe()
        self._process = context.Process(target=_answer_pairs, args=(child_pipe,), daemon=True)
        self._process.start()
        self._pipe.send(("1", "1", 6))
        self._pipe.recv()


def _answer_pairs(pipe: Connection) -> None:
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


def measure_judge(
    name: str, judge: EqualityJudge, rows: list[JsonRow], seconds: float, show: bool
) -> None:
    """Print agreements, undecided pairs, times and, with `show`, each disagreement."""
    opinions, durations = [], []
    for row in rows:
        start_time = time.perf_counter()
        opinions.append(judge(row, seconds))
        durations.append(time.perf_counter() - start_time)
    pairs = list(zip(rows, opinions, strict=True))
    agreements = sum(opinion == row["expected"] for row, opinion in pairs)
    withheld = sum(opinion is None and not row["expected"] for row, opinion in pairs)
    late = sum(duration >= seconds for duration in durations)
    print(
        f"{name}: {agreements} of {len(rows)} agree ({agreements + withheld} if undecided counts "
        f"as not equal); {opinions.count(None)} undecided; "
        f"median {median(durations) * 1000:.1f} ms, "
        f"slowest {max(durations):.2f} s, {late} at the limit"
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
    rows = load_pairs(options.cases)
    peer = MathVerify()
    measure_judge("Math-Verify", peer, rows, options.seconds, options.show)
    peer.close()
    measure_judge("sympy_check", sympy_check_opinion, rows, options.seconds, options.show)
    sympy_check.close()


if __name__ == "__main__":
    main()
