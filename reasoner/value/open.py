"""From settings to a value model that has shown it can tell right from wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reasoner.engine.local import LocalEngine
from reasoner.errors import ModelError, UnknownName
from reasoner.loaded import Loaded, loaded
from reasoner.models.catalog import formats
from reasoner.models.checksum import model_checksum
from reasoner.models.ensure import ensure_model
from reasoner.models.format import Pair, ValueFormat
from reasoner.models.served import ServedModel, served_model
from reasoner.models.spec import ModelFile
from reasoner.settings import EngineSettings, Settings
from reasoner.value.model import ValueModel
from reasoner.value.panel import Panel
from reasoner.value.trial import PAIRS, on_trial

if TYPE_CHECKING:
    from reasoner.models.progress import Progress
    from reasoner.value.head import Head

__all__ = ["SELF", "Loaded", "exact", "value_model"]

SELF = "self"
"""The name that stands for the policy model as its own judge: one model, one KV cache."""
JUDGE, HEAD = "judge", "head"


@asynccontextmanager
async def value_model(
    settings: Settings,
    policy: Loaded,
    notice: Callable[[str], None],
    progress: "Progress | None" = None,
    pairs: Sequence[Pair] = PAIRS,
) -> AsyncIterator[ValueModel | Panel | None]:
    """The value model that the settings name, tested, or None when they name none; of several, all
    of them as a panel. Where nothing is said, it is the head that the registry has for the policy.

    A second model is loaded only where it is another file than the policy's. Without `pairs` it
    is not tested. Raises what `ensure_model` does, and ModelError when the model cannot serve.
    """
    async with AsyncExitStack() as opened:
        models = []
        wanted = settings.value_models
        if _has_own_head(settings, policy):
            wanted = ((SELF, HEAD),)
            pairs = pairs if settings.value_head else ()  # ours is for this file, by its checksum
        for name, form in wanted:
            own = settings.model_copy(update={"value": name, "value_format": form})
            one = await opened.enter_async_context(_one(own, policy, notice, progress, pairs))
            models.append(one)
        yield Panel(models) if len(models) > 1 else next(iter(models), None)


def _has_own_head(settings: Settings, policy: Loaded) -> bool:
    """Whether nothing was said, and the policy has a head to judge itself by."""
    if settings.value is not None or settings.value_format is not None:
        return False
    local = isinstance(policy.file, ModelFile) and isinstance(policy.engine, LocalEngine)
    return local and _head_path(settings, policy) is not None


@asynccontextmanager
async def _one(
    settings: Settings,
    policy: Loaded,
    notice: Callable[[str], None],
    progress: "Progress | None",
    pairs: Sequence[Pair],
) -> AsyncIterator[ValueModel]:
    async with _loaded(settings, policy, notice, progress) as judge:
        form = _format(settings, judge)
        if form.layout == "path" and not _reads_alike(judge, policy):
            raise ModelError(
                f"the format {form.name} reads the policy's own tokens: --value {SELF}, or a model "
                "that has the same"
            )
        name = settings.value or SELF
        head = _head(settings, judge, form)
        model = ValueModel(name, judge.engine, form, head, writes=judge is policy)
        if pairs:
            await on_trial(model, pairs)
        yield model


@asynccontextmanager
async def _loaded(
    settings: Settings,
    policy: Loaded,
    notice: Callable[[str], None],
    progress: "Progress | None",
) -> AsyncIterator[Loaded]:
    """The policy again, or a second model in memory."""
    if settings.value in (SELF, settings.model):
        yield policy
        return
    name = settings.value or SELF
    if served_model(name):
        async with loaded(name, settings, notice, progress) as served:
            yield served
        return
    file = await asyncio.to_thread(
        ensure_model,
        name,
        offline=settings.offline,
        on_notice=notice,
        on_progress=progress,
    )
    if isinstance(policy.file, ModelFile):
        if file.path.resolve() == policy.file.path.resolve():
            yield policy
            return
        sizes = [model.path.stat().st_size / 1e9 for model in (policy.file, file)]
        notice(f"two models in memory: {sizes[0]:.1f} GB and, for values, {sizes[1]:.1f} GB")
    engine = await LocalEngine.open(file.path, exact(settings.engine), notice)
    try:
        yield Loaded(file, engine)
    finally:
        await engine.close()


def _reads_alike(judge: Loaded, policy: Loaded) -> bool:
    if judge is policy:
        return True
    ours, theirs = judge.engine, policy.engine
    if not (isinstance(ours, LocalEngine) and isinstance(theirs, LocalEngine)):
        return False
    return ours.same_vocabulary(theirs)


def exact(settings: EngineSettings) -> EngineSettings:
    """Attention whose result does not depend on what else is in the batch, unless told otherwise.

    llama.cpp's fused attention on a CPU sums in 16 bits, in an order that the cache decides, so
    that a score read step by step would differ from one read at once by some thousandths.
    """
    free = settings.flash_attention == "auto" and settings.kv_type == "f16"
    return settings.model_copy(update={"flash_attention": "off"}) if free else settings


def _format(settings: Settings, judge: Loaded) -> ValueFormat:
    """The format asked for, the registry's word for this model, a head's own, or a judge."""
    spec = judge.file.spec
    default = HEAD if _head_path(settings, judge) and settings.value == SELF else JUDGE
    name = settings.value_format or (spec.format if spec else None) or default
    known = formats()
    if name not in known:
        raise UnknownName("value format", name, known)
    return known[name]


def _head_path(settings: Settings, judge: Loaded) -> Path | None:
    return settings.value_head or (judge.file.spec.head if judge.file.spec else None)


def _head(settings: Settings, judge: Loaded, form: ValueFormat) -> "Head | None":
    """The head's side file, if the format reads one. Raises ModelError for another model's."""
    place = _head_path(settings, judge)
    if place is None or not form.has_head:
        return None
    if isinstance(judge.file, ServedModel):
        raise ModelError(
            f"the format {form.name} reads more than a server tells; "
            "use a model on this machine as --value, or another --value-format"
        )
    from reasoner.value.head import read_head

    head = read_head(place, form.head)
    if head.base_sha256 not in (None, model_checksum(judge.file.path)):
        raise ModelError(
            f"{place} was trained on another model than {judge.file.name}; "
            "train one for this model or leave it out"
        )
    return head
