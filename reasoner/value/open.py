"""Opening of the value models that the settings name, with their self-test."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from reasoner.engine.capabilities import require_capabilities
from reasoner.errors import ModelError, UnknownName
from reasoner.models.checksum import model_checksum
from reasoner.models.format import StepPair, ValueFormat
from reasoner.models.progress import DownloadObserver
from reasoner.models.registry import load_value_formats
from reasoner.models.shards import model_size
from reasoner.open_model import OpenModel, open_model, resolve
from reasoner.settings import EngineSettings, Settings
from reasoner.value.ensemble import ValueEnsemble
from reasoner.value.head import ValueHead, read_value_head
from reasoner.value.model import ValueModel
from reasoner.value.self_test import SELF_TEST_PAIRS, run_self_test

__all__ = ["POLICY_AS_VALUE_MODEL", "open_value_model", "with_exact_attention"]

POLICY_AS_VALUE_MODEL = "self"
"""The name for the policy's model as its own value model, with one KV cache for both."""
JUDGE_FORMAT, HEAD_FORMAT = "judge", "head"


@asynccontextmanager
async def open_value_model(
    settings: Settings,
    policy: OpenModel,
    notice: Callable[[str], None],
    progress: DownloadObserver | None = None,
    pairs: Sequence[StepPair] = SELF_TEST_PAIRS,
) -> AsyncIterator[ValueModel | ValueEnsemble | None]:
    """The value model that the settings name, an ensemble where they name several, else None.

    Without a setting it is the value head that the registry has for the policy. A model is opened
    only where it is another file than the policy's. `pairs` are scored as a self-test; without any
    the test is skipped. Raises what `ensure_model` does, and ModelError when the model does not fit
    its format or fails the test.
    """
    async with AsyncExitStack() as resources:
        models = []
        requested = settings.value_models
        if _has_own_head(settings, policy):
            requested = ((POLICY_AS_VALUE_MODEL, HEAD_FORMAT),)
            pairs = (
                pairs if settings.value_head else ()
            )  # the registry pins head and model by checksum
        for name, form in requested:
            single = settings.model_copy(update={"value": name, "value_format": form})
            member = _single_model(single, policy, notice, progress, pairs)
            models.append(await resources.enter_async_context(member))
        yield ValueEnsemble(models) if len(models) > 1 else next(iter(models), None)


def _has_own_head(settings: Settings, policy: OpenModel) -> bool:
    """Whether no value model is set and the policy's model has a value head."""
    if settings.value is not None or settings.value_format is not None:
        return False
    readable = policy.engine.capabilities.whole_logits
    return readable and _head_path(settings, policy) is not None


@asynccontextmanager
async def _single_model(
    settings: Settings,
    policy: OpenModel,
    notice: Callable[[str], None],
    progress: DownloadObserver | None,
    pairs: Sequence[StepPair],
) -> AsyncIterator[ValueModel]:
    async with _judge_model(settings, policy, notice, progress) as judge:
        form = _format(settings, judge)
        if form.layout == "path" and not _shares_vocabulary(judge, policy):
            raise ModelError(
                f"the format {form.name} reads the policy's own tokens: "
                f"--value {POLICY_AS_VALUE_MODEL}, or a model that has the same"
            )
        name = settings.value or POLICY_AS_VALUE_MODEL
        head = _head(settings, judge, form)
        require_capabilities(judge.engine.capabilities, "score")
        model = ValueModel(name, judge.engine, form, head, is_policy=judge is policy)
        if pairs:
            await run_self_test(model, pairs)
        yield model


@asynccontextmanager
async def _judge_model(
    settings: Settings,
    policy: OpenModel,
    notice: Callable[[str], None],
    progress: DownloadObserver | None,
) -> AsyncIterator[OpenModel]:
    """The policy's model itself, or a second model."""
    if settings.value in (POLICY_AS_VALUE_MODEL, settings.model):
        yield policy
        return
    model = await resolve(settings.value or POLICY_AS_VALUE_MODEL, settings, notice, progress)
    if model.path is not None and policy.model.path is not None:
        if model.path.resolve() == policy.model.path.resolve():
            yield policy
            return
        sizes = [model_size(path) / 1e9 for path in (policy.model.path, model.path)]
        notice(f"two models in memory: {sizes[0]:.1f} GB and, for values, {sizes[1]:.1f} GB")
    chosen = settings.engine.model_copy(update={"lora": ()})  # those are the policy's
    chosen = with_exact_attention(chosen) if model.is_local else chosen
    async with open_model(
        model, settings, notice, engine_settings=chosen, keep_prompts=False
    ) as judge:
        yield judge


def _shares_vocabulary(judge: OpenModel, policy: OpenModel) -> bool:
    return judge is policy or judge.engine.same_vocabulary(policy.engine)


def with_exact_attention(settings: EngineSettings) -> EngineSettings:
    """The settings with attention whose result does not depend on the rest of the batch, where they
    leave the choice.

    llama.cpp's fused attention on a CPU sums in 16 bits, in an order that depends on the cache, so
    that scores computed step by step differ by some thousandths from those computed at once.
    """
    unset = settings.flash_attention == "auto" and settings.kv_type == "f16"
    return settings.model_copy(update={"flash_attention": "off"}) if unset else settings


def _format(settings: Settings, judge: OpenModel) -> ValueFormat:
    """The format that is set, else the registry's for this model, else a head's or a judge's.

    Raises UnknownName for a format that does not exist.
    """
    spec = judge.spec
    default = (
        HEAD_FORMAT
        if _head_path(settings, judge) and settings.value == POLICY_AS_VALUE_MODEL
        else JUDGE_FORMAT
    )
    name = settings.value_format or (spec.format if spec else None) or default
    known = load_value_formats()
    if name not in known:
        raise UnknownName("value format", name, known)
    return known[name]


def _head_path(settings: Settings, judge: OpenModel) -> Path | None:
    return settings.value_head or (judge.spec.head if judge.spec else None)


def _head(settings: Settings, judge: OpenModel, form: ValueFormat) -> ValueHead | None:
    """The value head, if the format uses one. Raises ModelError for a head of another model, and
    BadModelFile for a damaged file."""
    path = _head_path(settings, judge)
    if path is None or not form.has_head:
        return None
    if not judge.model.is_local:
        raise ModelError(
            f"the format {form.name} reads more than a server tells; "
            "use a model on this machine as --value, or another --value-format"
        )
    head = read_value_head(path, form.head)
    if head.base_sha256 not in (None, model_checksum(judge.model.file)):
        raise ModelError(
            f"{path} was trained on another model than {judge.model.name}; "
            "train one for this model or leave it out"
        )
    return head
