"""The share of replies of a Steiner model that keep to the grammar and the limits.

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
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.protocol.steiner import TOKEN_NAMES
from reasoner.settings import EngineSettings, Limits
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory

CONTROL_TOKENS = [f"<|{name}|>" for name in TOKEN_NAMES]
TOKEN_LETTERS = dict(zip(CONTROL_TOKENS, "<>pb[]NnTtSsRr", strict=True))
GRAMMAR = re.compile(r"<\[Nx*nTx*tSx*sRx*r\]([pb]\[Nx*nTx*tSx*sRx*r\])*>x+e?")
SAMPLING = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
CONCURRENT_REPLIES = 48


def spell_tokens(engine: Engine, trajectory: Trajectory) -> str:
    """Return a trajectory's tokens as letters: one for each control token, `e` for the end token,
    `x` for text."""
    letters = {engine.token_id(name): letter for name, letter in TOKEN_LETTERS.items()}
    return "".join(
        letters.get(token, "e" if engine.is_eog(token) else "x") for token in trajectory.tokens
    )


def sample_limits(random: Random) -> Limits:
    """Return random limits, some of which contradict each other: few tokens, many steps."""
    min_steps = random.choice((0, 0, 1, 2, 3, 5))
    max_steps = max(1, min_steps) + random.choice((0, 0, 1, 3))
    budget = random.choice((10, 40, 120))
    return Limits(min_steps=min_steps, max_steps=max_steps, budget=budget, max_tokens=900)


def find_fault(engine: Engine, trajectory: Trajectory, limits: Limits) -> str | None:
    """Return the name of what is wrong with a trajectory, or None."""
    if not GRAMMAR.fullmatch(spell_tokens(engine, trajectory)):
        return "grammar"
    if len(trajectory.steps) < limits.min_steps:
        return "too few steps"
    if limits.max_steps is not None and len(trajectory.steps) > limits.max_steps:
        return "too many steps"
    return None if trajectory.answer else "no answer"


async def generate_reply(engine: Engine, limits: Limits, seed: int) -> Trajectory:
    """Return a reply to a puzzle that the seed determines."""
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


async def count_faults(model: Path, count: int, seed: int) -> Counter[str]:
    """Return the number of each fault in `count` replies, and the totals `steps` and `tokens`."""
    engine = await LocalEngine.open(model, EngineSettings(context=8192))
    gate, totals = asyncio.Semaphore(CONCURRENT_REPLIES), Counter[str]()

    async def check_reply(number: int) -> None:
        async with gate:
            limits = sample_limits(Random(f"limits/{seed}/{number}"))
            trajectory = await generate_reply(engine, limits, seed + number)
        totals.update(steps=len(trajectory.steps), tokens=len(trajectory.tokens))
        if fault := find_fault(engine, trajectory, limits):
            totals[fault] += 1

    try:
        await asyncio.gather(*map(check_reply, range(count)))
    finally:
        await engine.close()
    return totals


def print_faults(name: str, model: Path, count: int, seed: int) -> None:
    """Generate replies, and print how many are right and the faults of the others."""
    start_time = monotonic()
    faults = asyncio.run(count_faults(model, count, seed))
    steps, tokens = faults.pop("steps"), faults.pop("tokens")
    print(
        f"{name}: {count - faults.total()} of {count} replies parse and keep their limits"
        f"{f', faults {dict(faults)}' if faults else ''} "
        f"({steps} steps, {tokens} tokens, {monotonic() - start_time:.0f} s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", nargs="*", default=["steiner-mini", "random"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.model:
        with TemporaryDirectory() as folder:
            print_faults(name, _model_file(name, Path(folder)), options.count, options.seed)


def _model_file(name: str, folder: Path) -> Path:
    """Return the file of a model; `random` is written to `folder`."""
    if name == "random":
        from tests.tiny_gguf import write_tiny_gguf

        return write_tiny_gguf(folder / "random.gguf", extra_tokens=CONTROL_TOKENS)
    if (model := find_model(name)) is None:
        raise SystemExit(f"{name} is not on this machine; reasoner models pull {name}")
    return model.path


if __name__ == "__main__":
    main()
