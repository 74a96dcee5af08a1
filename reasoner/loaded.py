"""A model ready for use, wherever it runs: in this process, or on a server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reasoner.engine.engine import Engine
from reasoner.engine.local import LocalEngine
from reasoner.models.ensure import ensure_model
from reasoner.models.served import ServedModel, served_model
from reasoner.models.spec import ModelFile
from reasoner.settings import Settings
from reasoner.store.prompts import prompt_shelf

if TYPE_CHECKING:
    from reasoner.models.progress import Progress

__all__ = ["Loaded", "loaded"]


@dataclass(frozen=True)
class Loaded:
    """The engine, and what is known of its model."""

    file: ModelFile | ServedModel
    engine: Engine


@asynccontextmanager
async def loaded(
    name: str,
    settings: Settings,
    notice: Callable[[str], None],
    progress: "Progress | None" = None,
) -> AsyncIterator[Loaded]:
    """The model that `name` stands for, fetched on first use or found on its server; closed in
    the end. Raises what `ensure_model` and the engines do."""
    with ExitStack() as resources:
        engine: Engine
        file: ModelFile | ServedModel | None = served_model(name)
        if isinstance(file, ServedModel):
            engine = await _remote(file, settings, notice)
        else:
            file = await asyncio.to_thread(
                ensure_model,
                name,
                offline=settings.offline,
                on_notice=notice,
                on_progress=progress,
            )
            shelf = resources.enter_context(prompt_shelf(file.path, settings))
            engine = await LocalEngine.open(file.path, settings.engine, notice, shelf)
        try:
            yield Loaded(file, engine)
        finally:
            await engine.close()


async def _remote(model: ServedModel, settings: Settings, notice: Callable[[str], None]) -> Engine:
    from reasoner.engine.remote import RemoteEngine

    return await RemoteEngine.open(
        model.address,
        model.model,
        settings.engine,
        key=settings.api_key.get_secret_value() if settings.api_key else None,
        template=model.spec.chat_template if model.spec else None,
        notice=notice,
    )
