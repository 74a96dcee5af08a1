"""Which of the known models fit a machine, how fast they would be there, and in which order to try
them. All of it is estimated from sizes; nothing is fetched or loaded."""

import math
from collections.abc import Collection, Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasoner.models.machine import Machine
from reasoner.models.spec import ModelSpec

__all__ = ["Recommendation", "SpeedClass", "recommend_models", "stronger_model"]

SpeedClass = Literal["fast", "fair", "slow", "very slow"]

MEMORY_PER_FILE_BYTE = 1.06
"""Memory for the weights as loaded, in file sizes."""
CONTEXT_MEMORY_BYTES = 1_200_000_000
"""Memory for a KV cache of 8,192 tokens, the compute buffers and this program."""
SYSTEM_RAM_SHARE, MIN_SYSTEM_RAM_BYTES = 0.08, 800_000_000
"""Memory that is left to everything else on the machine."""
RESERVED_DISK_BYTES = 1_000_000_000
DECODE_BANDWIDTH_SHARE = 0.6
"""Share of the measured bandwidth that decoding uses. Measured with the default model on two cores:
0.57."""
MIN_TOKENS_PER_SECOND: dict[SpeedClass, float] = {"fast": 20.0, "fair": 5.0, "slow": 1.0}
USABLE_CLASSES: Collection[SpeedClass] = {"fast", "fair"}
STRONGER_CAPACITY_RATIO = 2.0
"""How many times the capacity of the default a model that thinks has to have to be called far
stronger."""


class Recommendation(BaseModel):
    """A model that fits the machine, or may fit it: `size` is None where nobody knows it.

    `memory` is in bytes; it and `tokens_per_second` are estimates.
    """

    model_config = ConfigDict(frozen=True)

    spec: ModelSpec
    size: int | None
    memory: int | None
    tokens_per_second: float | None
    speed: SpeedClass | None
    is_here: bool


def recommend_models(
    specs: Iterable[ModelSpec], machine: Machine, here: Collection[str] = ()
) -> list[Recommendation]:
    """The policies that fit, the one to try first at the front; those of unknown size come last.

    `here` are the aliases of the models that need no disk space any more. Among models that are
    fast enough to work with, those of more capacity come first; those within a doubling of it keep
    the order of `specs`. Slower models follow, the fastest first.
    """
    policies = [spec for spec in specs if spec.use == "policy" and spec.url is None]
    rated = [_rate(spec, machine, spec.alias in here) for spec in policies]
    return sorted((model for model in rated if model is not None), key=_rank)


def stronger_model(
    recommended: Iterable[Recommendation], default: ModelSpec
) -> Recommendation | None:
    """The first recommended model that is far stronger than the default: it thinks, has at least
    twice the capacity and is fast enough to work with. None when there is none, or when one of them
    is on this machine, since the user then knows better."""
    threshold = STRONGER_CAPACITY_RATIO * _capacity(default, _size(default) or 0)
    stronger = [
        model
        for model in recommended
        if model.spec.protocol == "think"
        and model.speed in USABLE_CLASSES
        and _capacity(model.spec, model.size or 0) >= threshold
    ]
    return None if any(model.is_here for model in stronger) else next(iter(stronger), None)


def _rate(spec: ModelSpec, machine: Machine, is_here: bool) -> Recommendation | None:
    """The model with its estimates, None when it does not fit."""
    if (size := _size(spec)) is None:
        return Recommendation(
            spec=spec, size=None, memory=None, tokens_per_second=None, speed=None, is_here=is_here
        )
    memory = int(size * MEMORY_PER_FILE_BYTE) + CONTEXT_MEMORY_BYTES
    if memory > _available_memory(machine) or not (is_here or _fits_disk(size, machine)):
        return None
    tokens_per_second = _tokens_per_second(spec, size, memory, machine)
    return Recommendation(
        spec=spec,
        size=size,
        memory=memory,
        tokens_per_second=round(tokens_per_second, 1),
        speed=_speed_class(tokens_per_second),
        is_here=is_here,
    )


def _size(spec: ModelSpec) -> int | None:
    if spec.size is None and spec.path is not None and spec.path.is_file():
        return spec.path.stat().st_size
    return spec.size


def _available_memory(machine: Machine) -> float:
    if machine.ram_bytes is None:
        return math.inf
    system = max(MIN_SYSTEM_RAM_BYTES, machine.ram_bytes * SYSTEM_RAM_SHARE)
    ram = machine.ram_bytes - system
    return max(ram, machine.vram_bytes) if machine.is_unified else ram + machine.vram_bytes


def _fits_disk(size: int, machine: Machine) -> bool:
    return machine.disk_bytes is None or size + RESERVED_DISK_BYTES <= machine.disk_bytes


def _tokens_per_second(spec: ModelSpec, size: int, memory: int, machine: Machine) -> float:
    """Each token reads the weights that it uses once; those on the GPU from the GPU's memory."""
    on_gpu = min(1.0, machine.vram_bytes / memory) if machine.gpu_bandwidth else 0.0
    read_bytes = size * spec.active_share
    seconds = read_bytes * (1 - on_gpu) / (machine.bandwidth * DECODE_BANDWIDTH_SHARE)
    if on_gpu:
        seconds += read_bytes * on_gpu / (machine.gpu_bandwidth * DECODE_BANDWIDTH_SHARE)
    return 1 / seconds


def _speed_class(tokens_per_second: float) -> SpeedClass:
    for name, minimum in MIN_TOKENS_PER_SECOND.items():
        if tokens_per_second >= minimum:
            return name
    return "very slow"


def _capacity(spec: ModelSpec, size: int) -> float:
    """The size in bytes of a dense model that could do as much, by the rule of thumb that a mixture
    of experts is worth the geometric mean of all its weights and those that a token uses."""
    return size * math.sqrt(spec.active_share)


def _rank(model: Recommendation) -> tuple[float, float]:
    """Sort key: usable models by the power of two of their capacity, then slow ones by speed, then
    unknown ones."""
    if model.size is None or model.tokens_per_second is None:
        return (2, 0)
    if model.speed in USABLE_CLASSES:
        return (0, -math.floor(math.log2(_capacity(model.spec, model.size))))
    return (1, -model.tokens_per_second)
