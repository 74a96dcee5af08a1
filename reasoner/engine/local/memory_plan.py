"""Where a model's layers go and how large its context is, from sizes in bytes alone.

Nothing here asks llama.cpp or the machine: the sizes come from `measure`.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from reasoner.context_needs import ContextNeeds

__all__ = ["Device", "KvType", "MemoryPlan", "ModelSizes", "Placement", "plan_memory"]

KvType = Literal["f16", "q8_0", "q4_0"]
KV_BYTES_RATIO: Mapping[KvType, float] = {"f16": 1.0, "q8_0": 34 / 64, "q4_0": 18 / 64}
"""Bytes of a KV cache in relation to one of 16-bit numbers: blocks of 32 numbers and a scale."""
MIN_CONTEXT_TOKENS = 512
MIN_HOST_SHARE = 4
"""The share (one in so many) of the main memory that one trajectory may always use: weights that
do not fit are read from the file again and again, which is slow, but works."""
STAGED_TENSORS = 2
"""How many tensors in main memory are copied to a device at a time to be multiplied there."""


@dataclass(frozen=True)
class ModelSizes:
    """The sizes of a model in bytes.

    `layers` are the weights of each layer without its experts, `experts` the expert tensors of each
    layer, 0 where there are none. `embeddings` always stay in main memory; `output` are the weights
    behind the last layer. `largest_tensor` is the largest weight of any layer. A context of n
    tokens takes `kv_fixed` + n × `kv_per_token` as 16-bit numbers, over all layers, and every
    device `compute_fixed` + n × `compute_per_token` to compute with.
    """

    layers: tuple[int, ...]
    experts: tuple[int, ...]
    embeddings: int
    output: int
    largest_tensor: int
    kv_fixed: int = 0
    kv_per_token: float = 0.0
    compute_fixed: int = 0
    compute_per_token: float = 0.0

    @cached_property
    def weights(self) -> int:
        """All weights together."""
        return sum(self.layers) + sum(self.experts) + self.embeddings + self.output

    def kv_bytes(self, tokens: int, kv_type: KvType) -> float:
        """The KV cache of all layers."""
        return self.kv_fixed + self.kv_per_token * tokens * KV_BYTES_RATIO[kv_type]

    def compute_bytes(self, tokens: int) -> float:
        """The buffers of one device to compute with."""
        return self.compute_fixed + self.compute_per_token * tokens


@dataclass(frozen=True)
class Device:
    """A GPU: the bytes that may be used, and its share of the layers in relation to the others."""

    free: int
    share: float = 1.0


@dataclass(frozen=True)
class Placement:
    """What is on the GPUs: the last `gpu_layers` layers, counting the output as the last one, but
    not the experts of `host_experts`, which are indices of layers."""

    gpu_layers: int
    host_experts: tuple[int, ...] = ()


@dataclass(frozen=True)
class MemoryPlan:
    """A placement, and the context: its tokens and the type of its KV cache."""

    placement: Placement
    tokens: int
    kv_type: KvType


def plan_memory(
    sizes: ModelSizes,
    devices: Sequence[Device],
    host_free: int,
    needs: ContextNeeds,
    kv_types: Sequence[KvType],
) -> MemoryPlan:
    """Return the best plan that fits into the devices and `host_free` bytes of main memory.

    In this order the plan gives up: 16-bit numbers in the KV cache (`kv_types`, the best first),
    the cells for trajectories beside the first, layers on the GPUs (the experts first), and at last
    cells for the whole budget.
    """
    search = _Search(sizes, devices, host_free, needs.min_tokens)
    placements = search.placements()
    whole, smallest = placements[0], kv_types[-1]
    for kv_type in kv_types:
        if search.fits(whole, needs.tokens, kv_type):
            return MemoryPlan(whole, needs.tokens, kv_type)
    placement = _first(placements, lambda it: search.fits_devices(it, needs.min_tokens, smallest))
    limits = (needs.min_tokens, needs.tokens) if placement == whole else (1, needs.min_tokens)
    if not search.fits(placement, limits[0], smallest):
        limits = (1, needs.min_tokens)
    tokens = _most(*limits, lambda count: search.fits(placement, count, smallest))
    return MemoryPlan(placement, max(tokens, min(MIN_CONTEXT_TOKENS, needs.min_tokens)), smallest)


def _first(placements: Sequence[Placement], fits: Callable[[Placement], bool]) -> Placement:
    """The first that fits, by binary search: each takes less of the devices than the one before.

    With several devices the last layers may move between two of them, so that a neighbour is
    tried where that order is not strict.
    """
    index = bisect_left(placements, True, key=fits)
    while index < len(placements) - 1 and not fits(placements[index]):
        index += 1
    return placements[min(index, len(placements) - 1)]


def _most(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The largest number from `low` to `high` that fits, by binary search; `low` if none does."""
    return max(low, low + bisect_left(range(low, high + 1), True, key=lambda n: not fits(n)) - 1)


@dataclass(frozen=True)
class _Search:
    sizes: ModelSizes
    devices: Sequence[Device]
    host_free: int
    min_tokens: int

    def placements(self) -> list[Placement]:
        """All placements worth trying, from the most memory on the devices to the least."""
        count = len(self.sizes.layers)
        if not self.devices:
            return [Placement(0)]
        order = sorted(range(count), key=_reversed_bits)
        order = [layer for layer in order if self.sizes.experts[layer]]
        experts = [tuple(sorted(order[:moved])) for moved in range(len(order) + 1)]
        everywhere = [Placement(count + 1, moved) for moved in experts]
        return everywhere + [Placement(on, experts[-1]) for on in range(count, -1, -1)]

    def fits(self, placement: Placement, tokens: int, kv_type: KvType) -> bool:
        """Whether everything fits, in the devices and in main memory."""
        available = self.host_free - self._host_weights(placement)
        if tokens <= self.min_tokens:
            available = max(available, self.host_free // MIN_HOST_SHARE)
        count = len(self.sizes.layers)
        share = max(0, count + 1 - placement.gpu_layers) / count if count else 1.0
        needed = self.sizes.compute_bytes(tokens)
        needed += min(1.0, share) * self.sizes.kv_bytes(tokens, kv_type)
        return needed <= available and self.fits_devices(placement, tokens, kv_type)

    def fits_devices(self, placement: Placement, tokens: int, kv_type: KvType) -> bool:
        """Whether what the placement puts on each device fits there."""
        loads = self.device_bytes(placement, tokens, kv_type)
        return all(load <= dev.free for load, dev in zip(loads, self.devices, strict=True))

    def device_bytes(self, placement: Placement, tokens: int, kv_type: KvType) -> list[float]:
        """What the placement needs on each device, which get consecutive layers by their share."""
        sizes, count = self.sizes, len(self.sizes.layers)
        loads = [0.0] * len(self.devices)
        first = count + 1 - placement.gpu_layers
        kv_per_layer = sizes.kv_bytes(tokens, kv_type) / count if count else 0.0
        for layer in range(first, count + 1):
            device = self._device_of((layer - first) / placement.gpu_layers)
            if layer == count:
                loads[device] += sizes.output
                continue
            loads[device] += sizes.layers[layer] + kv_per_layer
            if layer not in placement.host_experts:
                loads[device] += sizes.experts[layer]
        is_partial = placement.gpu_layers <= count or bool(placement.host_experts)
        staged = STAGED_TENSORS * sizes.largest_tensor if is_partial else 0
        return [load + sizes.compute_bytes(tokens) + staged if load else 0.0 for load in loads]

    def _device_of(self, position: float) -> int:
        """The device of the layer at this position (0 to 1), as llama.cpp divides the layers."""
        total, reached = sum(device.share for device in self.devices), 0.0
        for index, device in enumerate(self.devices):
            reached += device.share / total
            if position < reached:
                return index
        return len(self.devices) - 1

    def _host_weights(self, placement: Placement) -> int:
        sizes = self.sizes
        first = len(sizes.layers) + 1 - placement.gpu_layers
        below = range(min(first, len(sizes.layers)))
        moved = {*below, *placement.host_experts}
        layers: int = sum(sizes.layers[layer] for layer in below)
        experts: int = sum(sizes.experts[layer] for layer in moved)
        output = 0 if placement.gpu_layers else sizes.output
        return sizes.embeddings + layers + experts + output


def _reversed_bits(number: int) -> int:
    """An order in which any first few layers are spread evenly, and so over all devices."""
    return int(f"{number:016b}"[::-1], 2)
