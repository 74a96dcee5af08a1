"""The names a shell completes to.

The shell starts the program at every Tab, so nothing heavy is imported before it is needed. An
error means that nothing is offered; it is not reported.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = [
    "complete_conversations",
    "complete_formats",
    "complete_models",
    "complete_strategies",
    "complete_strategy_options",
]

REGISTRY_ENTRY = re.compile(r'^    "([\w-]+)": Strategy\(', re.MULTILINE)
MAX_CONVERSATIONS = 50


def complete_models(incomplete: str) -> list[str]:
    """Return the aliases of models that begin with `incomplete`."""
    return _matches(incomplete, _model_names)


def complete_formats(incomplete: str) -> list[str]:
    """Return the formats of value models that begin with `incomplete`."""
    return _matches(incomplete, _format_names)


def complete_strategies(incomplete: str) -> list[str]:
    """Return the names of strategies that begin with `incomplete`."""
    return _matches(incomplete, _strategy_names)


def complete_strategy_options(ctx: Any, incomplete: str) -> list[str]:
    """Return the options of the strategy named on the line so far, each with its `=`."""
    return _matches(incomplete, lambda: _option_names(ctx.params.get("strategy") or "linear"))


def complete_conversations(incomplete: str) -> list[str]:
    """Return the ids of recent conversations that begin with `incomplete`."""
    return _matches(incomplete, _conversation_ids)


def _matches(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    with suppress(Exception):
        return [name for name in names() if name.startswith(incomplete)]
    return []


def _model_names() -> Iterable[str]:
    from reasoner.models.registry import load_registry

    return sorted(load_registry())


def _format_names() -> Iterable[str]:
    from reasoner.models.registry import load_value_formats

    return sorted(load_value_formats())


def _strategy_names() -> Iterable[str]:
    """Read the names from the registry's source: importing it would load the whole search."""
    spec = find_spec("reasoner.search.strategies.registry")
    source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    return REGISTRY_ENTRY.findall(source)


def _option_names(strategy: str) -> Iterator[str]:
    from reasoner.search.strategies.registry import find_strategy

    return (f"{name}=" for name in find_strategy(strategy).parameters.model_fields)


def _conversation_ids() -> Iterable[str]:
    from reasoner.history.database import History
    from reasoner.settings import directories

    with History(directories().history_file) as history:
        return [summary.id for summary in history.conversations(MAX_CONVERSATIONS)]
