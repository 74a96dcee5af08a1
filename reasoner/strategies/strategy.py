"""What a strategy is: a function that reads like the paper, and what it can be told."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from reasoner.attempt import Findings
from reasoner.errors import UsageError
from reasoner.events import Live
from reasoner.operators.tools import Tools
from reasoner.problem import Problem
from reasoner.settings import explain
from reasoner.strategies.parameters import Parameters

__all__ = ["Strategy"]

P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True)
class Strategy(Generic[P]):
    """`run` searches until it has an answer or the budget stops it, and returns what it has.

    `varied` tells that it draws the same step several times, so that sampling must not be greedy.
    `live` is what may be shown of its first line of thought while it is written.
    """

    run: Callable[[Problem, Tools, P], Awaitable[Findings]]
    parameters: type[P]
    varied: bool = True
    live: Live = "nothing"

    @property
    def summary(self) -> str:
        """The first line of what the function says of itself."""
        return (self.run.__doc__ or "").strip().splitlines()[0]

    def parse(self, options: Mapping[str, Any]) -> P:
        """The parameters from `-S key=value`; a bad name or value is a UsageError."""
        try:
            return self.parameters(**options)
        except ValidationError as error:
            known = ", ".join(self.parameters.model_fields) or "none"
            raise UsageError(
                f"strategy option {explain(error)} ({self.run.__name__} takes: {known})"
            ) from error
