"""The machine as `reasoner models recommend` sees it, and the hint at a stronger model."""

from collections.abc import Callable
from pathlib import Path

from reasoner.models.installed import find_models
from reasoner.models.machine import Machine, free_disk_bytes, measure_bandwidth, ram_bytes
from reasoner.models.recommend import Recommendation, recommend_models, stronger_model
from reasoner.models.registry import load_registry
from reasoner.models.space import format_bytes
from reasoner.settings import DEFAULT_MODEL, Settings, directories

__all__ = ["describe_machine", "hint_at_stronger_model", "inspect_machine"]

GPU_BANDWIDTH = 300e9
"""Bytes per second; assumed, as that of a small graphics card of recent years."""
HINT_MARKER_NAME = "stronger-model-hint"
"""The file in the data directory that says that the hint was shown."""


def inspect_machine() -> Machine:
    """Measure what this machine has for models: memory, GPUs, disk and bandwidth."""
    from reasoner.engine.local.devices import gpu_memory, has_unified_memory
    from reasoner.engine.local.threads import default_threads

    vram_bytes = sum(total for _free, total in gpu_memory())
    return Machine(
        ram_bytes=ram_bytes(),
        disk_bytes=free_disk_bytes(directories().models),
        bandwidth=measure_bandwidth(default_threads()),
        vram_bytes=vram_bytes,
        gpu_bandwidth=GPU_BANDWIDTH if vram_bytes else 0.0,
        is_unified=has_unified_memory(),
    )


def describe_machine(machine: Machine) -> str:
    """One line with what the estimates rest on."""
    parts = []
    if machine.ram_bytes is not None:
        parts.append(f"{format_bytes(machine.ram_bytes)} of memory")
    if machine.vram_bytes:
        parts.append(f"{format_bytes(machine.vram_bytes)} on GPUs")
    if machine.disk_bytes is not None:
        parts.append(f"{format_bytes(machine.disk_bytes)} of disk space")
    parts.append(f"{format_bytes(int(machine.bandwidth))}/s read from memory")
    if machine.gpu_bandwidth:
        parts.append(f"{format_bytes(int(machine.gpu_bandwidth))}/s assumed for GPUs")
    return f"Estimated for this machine: {', '.join(parts)}."


def hint_at_stronger_model(settings: Settings, show: Callable[[str], None]) -> None:
    """Show one line, once for this user, when the default model is about to be used and a far
    stronger one would fit. Nothing is fetched.

    Nothing is shown for a model on a server, offline, or where no file can be written, because it
    would be shown each time.
    """
    marker = directories().data / HINT_MARKER_NAME
    if settings.model != DEFAULT_MODEL or settings.server or settings.offline or marker.exists():
        return
    default = load_registry().get(DEFAULT_MODEL)
    if default is None or default.url is not None:
        return
    here = {model.name for model in find_models()}
    recommended = recommend_models(load_registry().values(), inspect_machine(), here)
    model = stronger_model(recommended, default)
    if model is not None and _create(marker):
        show(_hint(model))


def _create(marker: Path) -> bool:
    """Create the file; False where that is impossible or another process was faster."""
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch(exist_ok=False)
    except OSError:
        return False
    return True


def _hint(model: Recommendation) -> str:
    size = format_bytes(model.size or 0)
    return (
        f"a far stronger model fits this machine: {model.spec.alias} ({size}, about "
        f"{model.tokens_per_second:.0f} tokens/s); see `reasoner models recommend`"
    )
