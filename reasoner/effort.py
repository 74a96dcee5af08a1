"""The strategy, its options and the budget that an effort level stands for."""

from collections.abc import Mapping
from typing import Any

from reasoner.errors import UsageError
from reasoner.models.effort_plan import EffortPlan
from reasoner.models.spec import ModelSpec
from reasoner.settings import AUTO_STRATEGY, Effort, Settings

__all__ = ["resolve_effort"]


GENERAL: Mapping[Effort, EffortPlan] = {
    "low": EffortPlan(),
    "medium": EffortPlan(),
    "high": EffortPlan(strategy="majority", options={"n": 5}),
    "max": EffortPlan(strategy="majority", options={"n": 16, "at_once": 8}),
}
"""For models without measurements of their own. Voting helps wherever answers are short (Wang et
al. 2022)."""


def resolve_effort(settings: Settings, spec: ModelSpec | None = None) -> Settings:
    """The settings with the strategy that their effort stands for; a model may have its own plans.

    A strategy or a budget that was set stays. Where there is nothing to reason about (no thinking,
    a grammar) or nothing may be checked, there is a single rollout. Raises UsageError for
    options of a strategy that is not named.
    """
    if settings.strategy != AUTO_STRATEGY:
        return settings
    if settings.strategy_options:
        raise UsageError("-S tells a strategy something: name it with --strategy NAME")
    plan = (spec.effort.get(settings.effort) if spec else None) or GENERAL[settings.effort]
    if not (settings.think and settings.verify) or settings.sampling.get("grammar"):
        plan = EffortPlan(budget=plan.budget)
    changes: dict[str, Any] = {"strategy": plan.strategy, "strategy_options": dict(plan.options)}
    if settings.budget is None and plan.budget is not None:
        changes["budget"] = plan.budget
    return settings.model_copy(update=changes)
