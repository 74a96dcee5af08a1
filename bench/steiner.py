"""The effect of step control on number puzzles, with the program's own controller and engine.

    python -m bench.steiner DATA.jsonl [--model steiner-mini] [--max-steps 1,2,4,8,16,40]
                            [--mask-backtrack] [--set key=value …] [--svg FILE]

Each line of DATA has `numbers` and `target`; right means that the plugin `number_puzzle` passed the
answer. With several values of --max-steps accuracy is shown for each, and drawn with --svg. With
--mask-backtrack the controller never offers the token that gives a branch up.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from bench.json_lines import JsonRow, read_json_lines
from reasoner import Settings
from reasoner.cli.options.pairs import parse_pairs
from reasoner.engine.constraints import Allow, Constraint
from reasoner.protocol.protocol import Round
from reasoner.protocol.steiner import SteinerProtocol, SteinerRound
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.settings import Limits
from reasoner.solver.local import LocalSolver
from reasoner.types.problem import Problem
from reasoner.types.result import Result
from reasoner.types.trajectory import Phase, Trajectory

QUESTION_TEMPLATE = "Use {} to make {}"


class NoBacktrackProtocol(SteinerProtocol):
    """Steiner without the decision to backtrack."""

    def round(self, trajectory: Trajectory, limits: Limits, room: TokenAllowance) -> Round:
        if trajectory.phase is not Phase.REASONING:
            return super().round(trajectory, limits, room)
        return NoBacktrackRound(self, self._vocabulary, trajectory, limits, room)


class NoBacktrackRound(SteinerRound):
    """A round whose decisions do not offer the token for backtracking."""

    def _decision(self) -> Constraint:
        decision = super()._decision()
        if not isinstance(decision, Allow):
            return decision
        backtrack = self._ids["reasoning_backtrack"]
        return Allow(tuple(token for token in decision.tokens if token != backtrack))


def load_questions(path: Path) -> list[str]:
    """Return the puzzles of a file as questions. Raises SystemExit without the file."""

    def question(row: JsonRow) -> str:
        return QUESTION_TEMPLATE.format(" ".join(map(str, row["numbers"])), row["target"])

    return [question(row) for row in read_json_lines(path)]


async def answer_questions(
    questions: Sequence[str], settings: Settings, mask_backtrack: bool
) -> list[Result]:
    """Return the result of each question, 16 of which are answered at once."""
    async with LocalSolver(settings) as solver:
        if mask_backtrack:
            solver._protocol = NoBacktrackProtocol(solver._model.engine)
        gate = asyncio.Semaphore(16)

        async def answer_question(question: str) -> Result:
            async with gate:
                result = await solver.solve(Problem(question=question))
            print("+" if _is_right(result) else "-", end="", file=sys.stderr, flush=True)
            return result

        return list(await asyncio.gather(*map(answer_question, questions)))


def _is_right(result: Result) -> bool:
    return any(v.verifier == "number_puzzle" and v.outcome == "pass" for v in result.verdicts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="steiner-mini")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-steps", default="40")
    parser.add_argument("--mask-backtrack", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    changes = parse_pairs(options.set, "--set", "strategy=beam")
    questions, points = load_questions(options.data), []
    for steps in map(int, options.max_steps.split(",")):
        limits = {"max_steps": steps, **changes}
        settings = Settings.load(model=options.model, seed=options.seed, **limits)
        start_time = monotonic()
        results = asyncio.run(answer_questions(questions, settings, options.mask_backtrack))
        right = sum(map(_is_right, results))
        tokens = sum(result.usage.completion_tokens for result in results)
        points.append((steps, right / len(questions)))
        print(
            f"\nat most {steps} steps: {right} of {len(questions)} ({right / len(questions):.1%}), "
            f"{tokens / len(questions):.0f} tokens each, {monotonic() - start_time:.0f} s"
        )
    if options.svg:
        options.svg.write_text(accuracy_curve(points), "utf-8")


def accuracy_curve(points: Sequence[tuple[int, float]]) -> str:
    """Return an SVG of accuracy against the number of steps, on a logarithmic scale."""
    from math import log2

    max_log_steps = log2(max(steps for steps, _ in points)) or 1.0
    places = [
        (40 + 320 * log2(steps) / max_log_steps, 180 - 160 * share) for steps, share in points
    ]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    marks = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"/>'
        f'<text x="{x:.0f}" y="{y - 8:.0f}">{share:.0%}</text>'
        f'<text x="{x:.0f}" y="195">{steps}</text>'
        for (x, y), (steps, share) in zip(places, points, strict=True)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200" '
        'font-family="sans-serif" font-size="10" text-anchor="middle">'
        '<path d="M40 20V180H360" fill="none" stroke="gray"/>'
        f'<polyline points="{line}" fill="none" stroke="black"/>{marks}</svg>\n'
    )


if __name__ == "__main__":
    main()
