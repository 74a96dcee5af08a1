"""How many tokens the context has to hold for what a run may think."""

from dataclasses import dataclass, replace

from reasoner.effort import resolve_effort
from reasoner.models.spec import ModelSpec
from reasoner.settings import Settings

__all__ = ["ANSWER_TOKENS", "DEFAULT_CONTEXT_TOKENS", "ContextNeeds", "context_needs"]

DEFAULT_CONTEXT_TOKENS = 8192
"""The context wherever it suffices."""
PROMPT_TOKENS = 2048
"""Assumed length of a prompt, which is not known yet when the context is allocated."""
ANSWER_TOKENS = 560
"""Tokens that the policy reserves for an answer, and those to finish a sentence before it."""
MAX_PARALLEL_TRAJECTORIES = 8
USUAL_PARALLEL_TRAJECTORIES = 4
"""Assumed of a search whose options do not say how many trajectories it works on at a time."""
BUDGET_SHARE = 0.5
"""The share of its budget that a trajectory beside the first is expected to use. Few use all of it,
and the engine preempts one when the cells do run out."""


@dataclass(frozen=True)
class ContextNeeds:
    """`min_tokens` hold one trajectory with its whole budget, `tokens` all that a strategy works on
    at the same time."""

    min_tokens: int = DEFAULT_CONTEXT_TOKENS
    tokens: int = DEFAULT_CONTEXT_TOKENS

    def for_trained_length(self, trained: int) -> "ContextNeeds":
        """The needs of a model trained on `trained` tokens, which no trajectory exceeds."""
        if trained >= self.min_tokens:
            return self
        fewer = self.tokens * trained // self.min_tokens
        return replace(self, min_tokens=trained, tokens=max(DEFAULT_CONTEXT_TOKENS, fewer))


def context_needs(settings: Settings, spec: ModelSpec | None) -> ContextNeeds:
    """Return what a model that the registry describes as `spec` needs under these settings.

    Raises UsageError as `resolve_effort` does.
    """
    chosen = resolve_effort(settings, spec)
    limits = chosen.limits
    budget = limits.budget if limits.think and limits.budget else 0
    if limits.max_tokens is not None:
        budget = min(budget, limits.max_tokens)
    first = PROMPT_TOKENS + budget + ANSWER_TOKENS
    others = (_parallel_trajectories(chosen) - 1) * int(BUDGET_SHARE * budget)
    if chosen.search_budget is not None:
        others = min(others, max(0, chosen.search_budget - budget))
    if spec is not None and spec.protocol == "plain":
        others = 0  # such a model thinks in paragraphs, far below its budget
    return ContextNeeds(first, max(DEFAULT_CONTEXT_TOKENS, first + others))


def _parallel_trajectories(settings: Settings) -> int:
    """How many trajectories the strategy extends at the same time, as far as its options say."""
    options = settings.strategy_options
    counts = (options.get(name) for name in ("at_once", "n", "width"))
    usual = 1 if settings.strategy == "linear" else USUAL_PARALLEL_TRAJECTORIES
    count = next((count for count in counts if isinstance(count, int)), usual)
    return max(1, min(count, MAX_PARALLEL_TRAJECTORIES))
