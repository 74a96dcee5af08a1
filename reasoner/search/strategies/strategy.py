"""The record of a strategy: its search function, its parameters and its properties."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from reasoner.errors import UsageError
from reasoner.search.context import SearchContext
from reasoner.search.strategies.parameters import StrategyParameters
from reasoner.settings import explain
from reasoner.types.candidate import SearchOutcome
from reasoner.types.events import LiveView
from reasoner.types.problem import Problem

__all__ = ["Strategy"]

P = TypeVar("P", bound=StrategyParameters)


@dataclass(frozen=True)
class Strategy(Generic[P]):
    """A search strategy.

    `search(problem, context, parameters)` works until it has an answer or the budget stops it, and
    returns its candidates. `needs_sampling` states that it samples the same step several times, so
    that sampling must not be greedy. `live` states what may be shown of its first trajectory while
    it is generated. `judges_states` states that the policy scores states by the probabilities of
    its own tokens where there is no value model.
    """

    search: Callable[[Problem, SearchContext, P], Awaitable[SearchOutcome]]
    parameters: type[P]
    needs_sampling: bool = True
    live: LiveView = "nothing"
    judges_states: bool = False

    @property
    def summary(self) -> str:
        """The first line of the search function's docstring."""
        return (self.search.__doc__ or "").strip().splitlines()[0]

    def parse_options(self, options: Mapping[str, Any]) -> P:
        """The parameters from `-S key=value`. Raises UsageError for a bad name or value."""
        try:
            return self.parameters(**options)
        except ValidationError as error:
            names = ", ".join(self.parameters.model_fields) or "none"
            raise UsageError(
                f"strategy option {explain(error)} ({self.search.__name__} takes: {names})"
            ) from error
