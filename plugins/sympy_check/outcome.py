"""The three outcomes of a comparison."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ANSWERS_DIFFER", "ANSWERS_EQUAL", "Equality", "Relation", "undecided"]


class Relation(StrEnum):
    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Equality:
    """How two answers relate; `reason` is filled when that was left open."""

    relation: Relation
    reason: str = ""


ANSWERS_EQUAL = Equality(Relation.EQUAL)
ANSWERS_DIFFER = Equality(Relation.DIFFERENT)


def undecided(reason: str) -> Equality:
    return Equality(Relation.UNDECIDED, reason)
