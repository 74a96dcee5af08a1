"""What a completions server says of its models: names, chat templates, context lengths."""

from contextlib import suppress
from typing import Any

from reasoner.engine.completions import Completions
from reasoner.errors import EngineError, UsageError

__all__ = ["context_length", "fetch_properties", "find_model_card", "text_property"]

DEFAULT_CONTEXT = 4096


def find_model_card(data: Any, model: str | None, address: str) -> dict[str, Any]:
    """What the server says of the model asked for, or of its only one. Raises UsageError."""
    cards = data.get("data") if isinstance(data, dict) else None
    cards = [card for card in cards or () if isinstance(card, dict) and "id" in card]
    names = [str(card["id"]) for card in cards]
    if model is None and len(cards) == 1:
        return dict(cards[0])
    if model not in names:
        there = ", ".join(names[:20]) or "no model at all"
        raise UsageError(f"name one of the models at {address}, as in {address}#NAME: {there}")
    return dict(cards[names.index(model)])


async def fetch_properties(server: Completions, address: str) -> dict[str, Any]:
    """What llama-server tells of itself; others tell nothing."""
    with suppress(UsageError, EngineError):
        found = await server.get(f"{address.removesuffix('/v1')}/props")
        return found if isinstance(found, dict) else {}
    return {}


def text_property(props: dict[str, Any], name: str) -> str | None:
    value = props.get(name)
    return value if isinstance(value, str) and value else None


def context_length(card: dict[str, Any], props: dict[str, Any]) -> int:
    """The longest sequence, as vLLM or llama-server tell it."""
    defaults = props.get("default_generation_settings")
    told = [card.get("max_model_len"), defaults.get("n_ctx") if isinstance(defaults, dict) else 0]
    return next((size for size in told if isinstance(size, int) and size > 0), DEFAULT_CONTEXT)
