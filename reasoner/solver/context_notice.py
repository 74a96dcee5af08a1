"""The line that says, before a question is begun, that the context cuts its thinking short."""

from collections.abc import Callable

from reasoner.context_needs import ANSWER_TOKENS
from reasoner.settings import Settings

__all__ = ["context_notice"]


def context_notice(
    settings: Settings, count_prompt_tokens: Callable[[], int], n_ctx: int
) -> str | None:
    """Return the line about a budget that a context of `n_ctx` tokens cannot hold after the prompt;
    None where it fits, and where nobody asked for that budget, by a limit, an effort or a context.

    `count_prompt_tokens` is called only where it matters, and its errors are passed on.
    """
    limits, context = settings.limits, settings.engine.context
    was_asked = context is not None or bool({"budget", "effort"} & settings.model_fields_set)
    if not (was_asked and limits.think and limits.budget):
        return None
    reply = limits.budget + ANSWER_TOKENS
    if limits.max_tokens is not None:
        reply = min(reply, limits.max_tokens)
    prompt_tokens = count_prompt_tokens()
    needed = prompt_tokens + reply
    if needed <= n_ctx:
        return None
    available = max(0, n_ctx - prompt_tokens - ANSWER_TOKENS)
    remedy = "raise --context" if context is not None else "use a model with a longer context"
    return (
        f"the context holds {n_ctx} tokens, the budget of {limits.budget} needs {needed} with "
        f"prompt and answer: thinking ends after about {available}; {remedy} or lower --budget"
    )
