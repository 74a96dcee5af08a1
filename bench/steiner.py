"""What step control is worth on number puzzles, with the program's own controller and engine.

    python -m bench.steiner DATA.jsonl [--model steiner-mini] [--max-steps 1,2,4,8,16,40]
                            [--mask-backtrack] [--set key=value …] [--svg FILE]

Each line of DATA has `numbers` and `target`; right means that the plugin `number_puzzle` passed the
answer. With several values of --max-steps accuracy is shown for each, and drawn with --svg. With
--mask-backtrack the controller never offers the token that gives a branch up.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

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
from reasoner.types.trajectory import Phase
from reasoner.types.trajectory import Trajectory as Line

QUESTION = "Use {} to make {}"


class Masked(SteinerProtocol):
    """Steiner without giving up."""

    def round(self, trajectory: Line, limits: Limits, room: TokenAllowance) -> Round:
        if trajectory.phase is not Phase.REASONING:
            return super().round(trajectory, limits, room)
        return MaskedRound(self, self._vocabulary, trajectory, limits, room)


class MaskedRound(SteinerRound):
    def _decision(self) -> Constraint:
        decision = super()._decision()
        if not isinstance(decision, Allow):
            return decision
        back = self._ids["reasoning_backtrack"]
        return Allow(tuple(token for token in decision.tokens if token != back))


def questions(path: Path) -> list[str]:
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [QUESTION.format(" ".join(map(str, row["numbers"])), row["target"]) for row in rows]


async def solved(asked: Sequence[str], settings: Settings, masked: bool) -> list[Result]:
    async with LocalSolver(settings) as solver:
        if masked:
            solver._protocol = Masked(solver._model.engine)
        gate = asyncio.Semaphore(16)

        async def one(question: str) -> Result:
            async with gate:
                result = await solver.solve(Problem(question=question))
            print("+" if _right(result) else "-", end="", file=sys.stderr, flush=True)
            return result

        return list(await asyncio.gather(*map(one, asked)))


def _right(result: Result) -> bool:
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
    chosen = parse_pairs(options.set, "--set", "strategy=beam")
    asked, points = questions(options.data), []
    for steps in map(int, options.max_steps.split(",")):
        limits = {"max_steps": steps, **chosen}
        settings = Settings.load(model=options.model, seed=options.seed, **limits)
        begun = monotonic()
        results = asyncio.run(solved(asked, settings, options.mask_backtrack))
        right = sum(map(_right, results))
        tokens = sum(result.usage.completion_tokens for result in results)
        points.append((steps, right / len(asked)))
        print(
            f"\nat most {steps} steps: {right} of {len(asked)} ({right / len(asked):.1%}), "
            f"{tokens / len(asked):.0f} tokens each, {monotonic() - begun:.0f} s"
        )
    if options.svg:
        options.svg.write_text(curve(points), "utf-8")


def curve(points: Sequence[tuple[int, float]]) -> str:
    """Accuracy against steps, each doubling as wide, as a small picture."""
    from math import log2

    widest = log2(max(steps for steps, _ in points)) or 1.0
    places = [(40 + 320 * log2(steps) / widest, 180 - 160 * share) for steps, share in points]
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
