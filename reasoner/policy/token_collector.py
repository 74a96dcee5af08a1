"""Collects the tokens of a generation and passes their text on while it is generated."""

from collections.abc import Callable, Mapping

from reasoner.engine.interface import Generation, Vocabulary
from reasoner.engine.text_decoder import new_text_decoder
from reasoner.engine.token import Token
from reasoner.policy.budget import Budget

__all__ = ["collect_tokens"]


async def collect_tokens(
    generation: Generation,
    vocabulary: Vocabulary,
    budget: Budget,
    *,
    marks: Mapping[int, str],
    unread: int,
    on_text: Callable[[str], None],
) -> list[Token]:
    """Return all tokens of a generation and charge them to the budget.

    `on_text` receives the text as its characters complete; `marks` maps the ids of marking tokens
    to what is shown for them. `unread` is the number of prompt tokens that an earlier round
    generated last and that were therefore never prefilled. Raises ContextFull or EngineError.
    """
    decoder = new_text_decoder()
    tokens: list[Token] = []
    budget.track_generation(generation)
    try:
        async for token in generation:
            tokens.append(token)
            budget.count_generated()
            text = decoder.decode(vocabulary.piece(token.id)) + marks.get(token.id, "")
            if text:
                on_text(text)
    finally:
        budget.finish_generation(generation, unread)
    return tokens
