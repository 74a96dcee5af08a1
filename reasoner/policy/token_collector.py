"""Collects the tokens of a generation and passes their text on while it is generated."""

from collections.abc import Callable, Iterable

from reasoner.engine.interface import Generation
from reasoner.engine.token import Token
from reasoner.policy.budget import Budget
from reasoner.protocol.mark_scanner import Span
from reasoner.protocol.visible_text import VisibleText
from reasoner.types.events import Channel

__all__ = ["collect_tokens"]


async def collect_tokens(
    generation: Generation,
    budget: Budget,
    *,
    visible: VisibleText,
    unread: int,
    on_text: Callable[[Channel, str], None],
) -> list[Token]:
    """Return all tokens of a generation and charge them to the budget.

    `on_text` receives the visible text as it completes. `unread` is the number of prompt tokens
    that an earlier round generated last and that were therefore never prefilled. Raises ContextFull
    or EngineError.
    """
    tokens: list[Token] = []
    budget.track_generation(generation)
    try:
        async for token in generation:
            tokens.append(token)
            budget.count_generated()
            _pass_on(visible.feed(token), on_text)
        _pass_on(visible.close(), on_text)
    finally:
        budget.finish_generation(generation, unread)
    return tokens


def _pass_on(spans: Iterable[Span], on_text: Callable[[Channel, str], None]) -> None:
    for channel, text in spans:
        on_text(channel, text)
