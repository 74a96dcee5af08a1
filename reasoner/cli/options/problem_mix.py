"""The option --mix: which kinds of problems, and how many of each."""

from reasoner.datagen.puzzles.record import KINDS
from reasoner.errors import UnknownName, UsageError

__all__ = ["DEFAULT_MIX", "parse_mix"]

DEFAULT_MIX = "countdown3=9, countdown4=4, make24=5, arithmetic=1, equation=1"


def parse_mix(text: str) -> dict[str, float]:
    """Return `a=1,b=2` as the share of each kind of problem; a share left out is 1.

    Raises UnknownName for no such kind, UsageError for a share that is no number.
    """
    shares = {}
    for part in text.split(","):
        kind, _, share = part.strip().partition("=")
        if kind not in KINDS:
            raise UnknownName("kind of problem", kind, KINDS)
        try:
            shares[kind] = float(share or 1)
        except ValueError:
            raise UsageError(f"--mix {part}: '{share}' is no number") from None
    return shares
