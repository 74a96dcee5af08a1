"""How the tokens that a trajectory may still have are divided between reasoning and answer."""

from collections.abc import Callable

from reasoner.errors import UsageError
from reasoner.protocol.token_allowance import TokenAllowance
from reasoner.settings import Limits

__all__ = ["MAX_ANSWER_RESERVE_TOKENS", "divide_tokens", "require_min_steps"]

MAX_ANSWER_RESERVE_TOKENS = 512
"""Tokens reserved for the answer, or a third of the allowance where that is less."""
MIN_STEP_TOKENS = 12
"""Tokens that a step takes at least: its marks."""


def divide_tokens(
    remaining: int, used: int, limits: Limits, is_reasoning_over: Callable[[], bool]
) -> TokenAllowance:
    """Return the allowance of a trajectory that has `used` tokens and may have `remaining` more.

    `is_reasoning_over` returns whether the time for reasoning is up.
    """
    total = remaining + used
    hard = max(0, total - min(MAX_ANSWER_RESERVE_TOKENS, total // 3))
    reasoning = hard if limits.budget is None else min(hard, limits.budget)
    return TokenAllowance(reasoning, hard, remaining, is_reasoning_over)


def require_min_steps(min_steps: int, remaining: int) -> None:
    """Raise UsageError unless `min_steps` steps can fit into the `remaining` tokens."""
    required = min_steps * MIN_STEP_TOKENS
    if required > remaining:
        raise UsageError(
            f"{min_steps} steps need at least {required} tokens, the context has {remaining} left; "
            "lower --min-steps or raise --context"
        )
