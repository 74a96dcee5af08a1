"""What a shell may complete to. It asks at every Tab, so nothing heavy is imported, and nothing
that goes wrong is told: there is then merely nothing to complete to."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["formats", "models", "strategies", "strategy_options"]

ENTRY = re.compile(r'^    "([\w-]+)": Strategy\(', re.MULTILINE)


def models(incomplete: str) -> list[str]:
    """The aliases of models."""
    return _beginning(incomplete, _model_names)


def formats(incomplete: str) -> list[str]:
    """The formats of value models."""
    return _beginning(incomplete, _format_names)


def strategies(incomplete: str) -> list[str]:
    """The names of strategies."""
    return _beginning(incomplete, _strategy_names)


def strategy_options(ctx: Any, incomplete: str) -> list[str]:
    """The options of the strategy that the line names so far, up to the sign."""
    return _beginning(incomplete, lambda: _option_names(ctx.params.get("strategy") or "linear"))


def _beginning(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    with suppress(Exception):
        return [name for name in names() if name.startswith(incomplete)]
    return []


def _model_names() -> Iterable[str]:
    from reasoner.models.catalog import registry

    return sorted(registry())


def _format_names() -> Iterable[str]:
    from reasoner.models.catalog import formats

    return sorted(formats())


def _strategy_names() -> Iterable[str]:
    """Read from the registry's text: importing it would bring in the whole search."""
    file = Path(__file__).parent.parent / "strategies" / "registry.py"
    return ENTRY.findall(file.read_text("utf-8"))


def _option_names(strategy: str) -> Iterator[str]:
    from reasoner.strategies.registry import find_strategy

    return (f"{name}=" for name in find_strategy(strategy).parameters.model_fields)
