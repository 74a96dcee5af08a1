"""Chance that repeats: what a path's blocks drew, they draw again when they are replayed."""

import os
import random
from typing import Any

__all__ = ["settle"]


def settle() -> None:
    """Take entropy from a fixed stream instead of the kernel, and seed `random` from it.

    `secrets`, `uuid4` and `random.SystemRandom` read the stream too, and so does numpy, whose
    generators seed themselves through `secrets` when it is imported. That it can be guessed does
    no harm: nothing in here is worth protecting.
    """
    stream = random.Random(0)  # noqa: S311  it shall be predictable
    seed = random.Random.seed

    def seed_from_stream(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, stream.getrandbits(128) if a is None else a, version)

    os.urandom = stream.randbytes
    random._urandom = stream.randbytes  # type: ignore[attr-defined]
    random.Random.seed = seed_from_stream  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random.seed()
