"""A search context on a real model, for tests of operators and strategies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.policy.policy import Policy
from reasoner.policy.protocol_choice import choose_protocol
from reasoner.search.context import SearchContext
from reasoner.settings import EngineSettings, Limits
from reasoner.types.events import Event
from reasoner.value.scorer import StepScorer

__all__ = ["Workbench", "workbench"]


class Workbench:
    """An open engine, a search context that uses it, and the events that the context emitted."""

    def __init__(self, engine: LocalEngine, context: SearchContext, events: list[Event]) -> None:
        self.engine, self.context, self.events = engine, context, events


@asynccontextmanager
async def workbench(
    model: Path,
    *,
    plugins: tuple[EntryPoint, ...] = (),
    value: StepScorer | None = None,
    seconds: float | None = None,
    tokens: int | None = None,
    temperature: float = 0.8,
    seed: int = 0,
    sequences: int = 32,
    **limits: Any,
) -> AsyncIterator[Workbench]:
    """A workbench with one model; `limits` are fields of `Limits`, here small by default."""
    engine = await LocalEngine.open(model, EngineSettings(context=2048, sequences=sequences))
    events: list[Event] = []
    budget = Budget(seconds, tokens)
    policy = Policy(
        engine,
        choose_protocol(engine, engine.chat_template or "", None),
        sampling=Sampling(temperature=temperature),
        limits=Limits(**({"budget": 24, "max_tokens": 60} | limits)),
        budget=budget,
        seed=seed,
    )
    try:
        with PluginHost(entry_points=plugins) as verifiers:
            yield Workbench(
                engine, SearchContext(policy, budget, events.append, verifiers, value), events
            )
    finally:
        await engine.close()
