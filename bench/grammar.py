"""Does every reply of a model that speaks Steiner obey the grammar and the limits?

    python -m bench.grammar [MODEL.gguf] [--count 10000] [--seed 0]

MODEL is steiner-mini when none is named; `random` is a model of random weights with the same
tokens. Every generation has limits of its own, drawn at random; the replies are read by a regular
expression, not by the code that enforces the grammar.
"""

import argparse
import asyncio
import re
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

from reasoner.engine.interface import Engine
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.models.installed import find_model
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.protocol.registry import choose_protocol
from reasoner.protocol.steiner import TOKEN_NAMES
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory as Line

MARKS = [f"<|{name}|>" for name in TOKEN_NAMES]
LETTERS = dict(zip(MARKS, "<>pb[]NnTtSsRr", strict=True))
GRAMMAR = re.compile(r"<\[Nx*nTx*tSx*sRx*r\]([pb]\[Nx*nTx*tSx*sRx*r\])*>x+e?")
SAMPLING = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
AT_ONCE = 48


def spell(engine: Engine, trajectory: Line) -> str:
    """The path's tokens as letters: one for each mark, `e` for the end, `x` for text."""
    letters = {engine.token_id(name): letter for name, letter in LETTERS.items()}
    return "".join(letters.get(t, "e" if engine.is_eog(t) else "x") for t in trajectory.tokens)


def limits_of(random: Random) -> Limits:
    """Limits that contradict each other now and then: few tokens, many steps."""
    least = random.choice((0, 0, 1, 2, 3, 5))
    most = max(1, least) + random.choice((0, 0, 1, 3))
    return Limits(
        min_steps=least, max_steps=most, budget=random.choice((10, 40, 120)), max_tokens=900
    )


def fault(engine: Engine, trajectory: Line, limits: Limits) -> str | None:
    """What is wrong with a path, or None."""
    if not GRAMMAR.fullmatch(spell(engine, trajectory)):
        return "grammar"
    if len(trajectory.steps) < limits.min_steps:
        return "too few steps"
    if limits.max_steps is not None and len(trajectory.steps) > limits.max_steps:
        return "too many steps"
    return None if trajectory.answer else "no answer"


async def generate(engine: Engine, limits: Limits, seed: int) -> Line:
    """One reply to a puzzle of the seed's."""
    random = Random(f"puzzle/{seed}")
    numbers = " ".join(str(random.randint(1, 13)) for _ in range(random.choice((3, 4))))
    protocol = choose_protocol(engine, engine.chat_template or "", "steiner")
    policy = Policy(engine, protocol, sampling=SAMPLING, limits=limits, budget=Budget(), seed=seed)
    trajectory = policy.start_trajectory(
        Problem(question=f"Use {numbers} to make {random.randint(1, 99)}")
    )
    while not trajectory.is_done:
        trajectory = await policy.extend(trajectory)
    return trajectory


async def faults(model: Path, count: int, seed: int) -> Counter[str]:
    """How many of `count` generations have which fault; `steps` and `tokens` are totals."""
    engine = await LocalEngine.open(model, EngineSettings(context=8192))
    gate, found = asyncio.Semaphore(AT_ONCE), Counter[str]()

    async def one(number: int) -> None:
        async with gate:
            limits = limits_of(Random(f"limits/{seed}/{number}"))
            trajectory = await generate(engine, limits, seed + number)
        found.update(steps=len(trajectory.steps), tokens=len(trajectory.tokens))
        if name := fault(engine, trajectory, limits):
            found[name] += 1

    try:
        await asyncio.gather(*map(one, range(count)))
    finally:
        await engine.close()
    return found


def measure(name: str, model: Path, count: int, seed: int) -> None:
    begun = monotonic()
    found = asyncio.run(faults(model, count, seed))
    steps, tokens = found.pop("steps"), found.pop("tokens")
    print(
        f"{name}: {count - found.total()} of {count} replies parse and keep their limits"
        f"{f', faults {dict(found)}' if found else ''} "
        f"({steps} steps, {tokens} tokens, {monotonic() - begun:.0f} s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", nargs="*", default=["steiner-mini", "random"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.model:
        with TemporaryDirectory() as folder:
            measure(name, _model(name, Path(folder)), options.count, options.seed)


def _model(name: str, folder: Path) -> Path:
    if name == "random":
        from tests.tiny_gguf import write_tiny_gguf

        return write_tiny_gguf(folder / "random.gguf", extra_tokens=MARKS)
    if (found := find_model(name)) is None:
        raise SystemExit(f"{name} is not on this machine; reasoner models pull {name}")
    return found.path


if __name__ == "__main__":
    main()
