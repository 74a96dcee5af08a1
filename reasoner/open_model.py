"""Opens models. Every model of the program, policy or value model, is opened here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from reasoner.cache.prompts import open_prompt_cache
from reasoner.context_needs import context_needs
from reasoner.engine.interface import Engine
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.remote.engine import RemoteEngine
from reasoner.errors import UsageError
from reasoner.models.chat_templates import resolve_chat_template
from reasoner.models.progress import DownloadObserver
from reasoner.models.resolve import ResolvedModel, resolve_model
from reasoner.models.spec import ModelSpec
from reasoner.settings import EngineSettings, Settings

__all__ = ["OpenModel", "open_model", "resolve"]

OnNotice = Callable[[str], None]


@dataclass(frozen=True)
class OpenModel:
    """A model that is ready for use: what is known of it, and the engine that runs it."""

    model: ResolvedModel
    engine: Engine

    @property
    def spec(self) -> ModelSpec | None:
        """The registry entry of the model, None when it has none."""
        return self.model.spec


async def resolve(
    name: str, settings: Settings, notice: OnNotice, progress: DownloadObserver | None = None
) -> ResolvedModel:
    """Resolve a model's name in a thread, since the file may have to be fetched first.

    Raises what `resolve_model` does.
    """
    return await asyncio.to_thread(
        resolve_model,
        name,
        offline=settings.offline,
        on_notice=notice,
        on_progress=progress,
    )


@asynccontextmanager
async def open_model(
    model: ResolvedModel,
    settings: Settings,
    notice: OnNotice,
    *,
    engine_settings: EngineSettings | None = None,
    keep_prompts: bool = True,
    chat_template: str | None = None,
) -> AsyncIterator[OpenModel]:
    """Open a resolved model, in this process or on its server, and close it in the end.

    `engine_settings` replaces those of `settings`. The LoRA adapters of the model's registry entry
    are applied as well. With `keep_prompts`, the KV states of long
    prompts are kept on disk for later processes, unless the settings turn caching off.
    `chat_template` (Jinja source or a built-in's name) replaces the registry's and the model's own.
    Raises BadModelFile, EngineError or UsageError when the model cannot be opened.
    """
    chosen = _with_own_adapters(engine_settings or settings.engine, model.spec)
    named = chat_template or (model.spec.chat_template if model.spec else None)
    template = resolve_chat_template(named) if named else None
    with ExitStack() as resources:
        engine: Engine
        if model.path is not None:
            cache = (
                resources.enter_context(open_prompt_cache(model.path, settings, chosen))
                if keep_prompts
                else None
            )
            needs = context_needs(settings, model.spec)
            engine = await LocalEngine.open(model.path, chosen, notice, cache, template, needs)
        else:
            engine = await _connect(model, settings, chosen, notice, template)
        try:
            yield OpenModel(model, engine)
        finally:
            await engine.close()


def _with_own_adapters(settings: EngineSettings, spec: ModelSpec | None) -> EngineSettings:
    if spec is None or not spec.lora:
        return settings
    return settings.model_copy(update={"lora": (*spec.lora, *settings.lora)})


async def _connect(
    model: ResolvedModel,
    settings: Settings,
    chosen: EngineSettings,
    notice: OnNotice,
    template: str | None,
) -> Engine:
    assert model.address is not None
    if chosen.lora:
        raise UsageError(
            f"{model.name} runs on a server, which applies its own LoRA adapters; leave --lora out"
        )
    return await RemoteEngine.open(
        model.address,
        model.served_name,
        chosen,
        key=settings.api_key.get_secret_value() if settings.api_key else None,
        template=template,
        notice=notice,
    )
