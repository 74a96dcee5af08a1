"""What a completions server says of its models: names, chat templates, context lengths."""

from contextlib import suppress
from typing import Any

from reasoner.engine.remote.completions import CompletionsClient
from reasoner.errors import EngineError, UsageError

__all__ = ["context_length", "fetch_properties", "find_model_card", "text_property"]

DEFAULT_CONTEXT_TOKENS = 4096


def find_model_card(data: Any, model: str | None, address: str) -> dict[str, Any]:
    """Return the entry of the requested model, or of the server's only one.

    `data` is the JSON of `/v1/models`. Raises UsageError when there is no such model.
    """
    cards = data.get("data") if isinstance(data, dict) else None
    cards = [card for card in cards or () if isinstance(card, dict) and "id" in card]
    names = [str(card["id"]) for card in cards]
    if model is None and len(cards) == 1:
        return dict(cards[0])
    if model not in names:
        there = ", ".join(names[:20]) or "no model at all"
        raise UsageError(f"name one of the models at {address}, as in {address}#NAME: {there}")
    return dict(cards[names.index(model)])


async def fetch_properties(server: CompletionsClient, address: str) -> dict[str, Any]:
    """Return the properties of a llama-server, and an empty dictionary for other servers."""
    with suppress(UsageError, EngineError):
        properties = await server.fetch_json(f"{address.removesuffix('/v1')}/props")
        return properties if isinstance(properties, dict) else {}
    return {}


def text_property(props: dict[str, Any], name: str) -> str | None:
    """Return a property that is a non-empty string, else None."""
    value = props.get(name)
    return value if isinstance(value, str) and value else None


def context_length(card: dict[str, Any], props: dict[str, Any]) -> int:
    """Return the tokens a sequence may have, as vLLM or llama-server report it."""
    defaults = props.get("default_generation_settings")
    sizes = [card.get("max_model_len"), defaults.get("n_ctx") if isinstance(defaults, dict) else 0]
    return next(
        (size for size in sizes if isinstance(size, int) and size > 0), DEFAULT_CONTEXT_TOKENS
    )
