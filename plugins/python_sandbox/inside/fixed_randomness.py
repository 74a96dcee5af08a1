"""Deterministic random numbers, so that replayed blocks draw the same values again."""

import os
import random
from typing import Any

__all__ = ["fix_randomness"]


def fix_randomness() -> None:
    """Replace the kernel's entropy by a fixed stream, and seed `random` from it.

    `secrets`, `uuid4` and `random.SystemRandom` read the stream too, and so do numpy's generators,
    which are seeded through `secrets`. The values are predictable, which is harmless because the
    sandbox holds no secrets.
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
