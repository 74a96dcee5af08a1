"""Several value models that are heard together: each scores every step, their scores are pooled."""

import asyncio
from collections.abc import Sequence

from reasoner.engine.engine import Engine
from reasoner.models.format import Aggregation
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.value.combine import combine
from reasoner.value.model import ValueModel
from reasoner.value.scorer import Scorer

__all__ = ["Panel", "PanelScorer"]


class Panel:
    """At least one value model. The first says how steps make a path's score, and its engine is
    the one a path is written for."""

    def __init__(self, members: Sequence[ValueModel]) -> None:
        self._members = tuple(members)
        self.name = " + ".join(f"{one.name}@{one.form.name}" for one in members)
        self.aggregation: Aggregation = members[0].aggregation

    @property
    def engine(self) -> Engine:
        return self._members[0].engine

    def scorer(self) -> "PanelScorer":
        return PanelScorer(self.name, [member.scorer() for member in self._members])


class PanelScorer:
    """See `Scorer`."""

    def __init__(self, name: str, members: Sequence[Scorer]) -> None:
        self.name, self.aggregation = name, members[0].aggregation
        self._members = members

    @property
    def tokens(self) -> int:
        return sum(member.tokens for member in self._members)

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        told = await asyncio.gather(*(one.score(problem, path) for one in self._members))
        return tuple(map(combine, zip(*told, strict=True)))
