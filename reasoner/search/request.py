"""Checks a request before a model is opened, for the command, the server and the library."""

from dataclasses import dataclass
from typing import Any

from reasoner.effort import resolve_effort
from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError
from reasoner.models.chat_templates import resolve_chat_template
from reasoner.models.spec import ModelSpec
from reasoner.search.strategies.registry import find_strategy
from reasoner.search.strategies.strategy import Strategy
from reasoner.settings import Settings
from reasoner.types.problem import Problem

__all__ = ["ValidatedRequest", "validate_request"]


@dataclass(frozen=True)
class ValidatedRequest:
    """A request that can be answered: its settings with the strategy that their effort stands
    for, that strategy, and its checked parameters."""

    settings: Settings
    strategy: Strategy[Any]
    parameters: Any


def validate_request(
    settings: Settings, spec: ModelSpec | None = None, problem: Problem | None = None
) -> ValidatedRequest:
    """Check a request's settings and, where it is given, its problem.

    `spec` is the model's registry entry, which may map efforts to strategies of its own. Raises
    UsageError for an empty question, sampling options that do not exist, an unknown strategy or
    chat template, or options that the strategy does not have.
    """
    if problem is not None and not problem.question.strip():
        raise UsageError('the question is empty; try: reasoner ask "What is 17 * 3?"')
    Sampling.parse(settings.sampling)
    if settings.chat_template is not None:
        resolve_chat_template(settings.chat_template)
    chosen = resolve_effort(settings, spec)
    strategy = find_strategy(chosen.strategy)
    return ValidatedRequest(chosen, strategy, strategy.parse_options(chosen.strategy_options))
