"""The plan for a machine's memory, compared with trying every placement, over many sizes."""

import random
from dataclasses import replace

import pytest

from reasoner.context_needs import ContextNeeds
from reasoner.engine.local.memory_plan import (
    KV_BYTES_RATIO,
    MIN_CONTEXT_TOKENS,
    Device,
    KvType,
    MemoryPlan,
    ModelSizes,
    Placement,
    plan_memory,
)

GB = 10**9
KV_TYPES: tuple[KvType, ...] = ("f16", "q8_0")
DENSE = ModelSizes(
    layers=(GB,) * 10,
    experts=(0,) * 10,
    embeddings=GB,
    output=GB,
    largest_tensor=GB // 10,
    kv_per_token=100_000,
    compute_fixed=GB // 5,
)
MIXTURE = replace(DENSE, layers=(GB // 5,) * 10, experts=(4 * GB,) * 10)
NEEDS = ContextNeeds(10_000, 40_000)
HOST = 64 * GB


def _device_bytes(sizes: ModelSizes, plan: MemoryPlan) -> float:
    """What one device holds under the plan, written out."""
    count, placement = len(sizes.layers), plan.placement
    if placement.gpu_layers == 0:
        return 0.0
    layers = range(max(0, count + 1 - placement.gpu_layers), count)
    kv = (sizes.kv_fixed + sizes.kv_per_token * plan.tokens * KV_BYTES_RATIO[plan.kv_type]) / count
    total = sizes.output + sizes.compute_fixed + sizes.compute_per_token * plan.tokens
    for layer in layers:
        total += sizes.layers[layer] + kv
        total += 0 if layer in placement.host_experts else sizes.experts[layer]
    whole = placement.gpu_layers > count and not placement.host_experts
    return total + (0 if whole else 2 * sizes.largest_tensor)


@pytest.mark.parametrize(
    ("free", "gpu_layers", "tokens", "kv_type"),
    [
        (16 * GB, 11, 40_000, "f16"),
        (14 * GB, 11, 40_000, "q8_0"),
        (int(12.5 * GB), 11, 24_470, "q8_0"),
        (int(11.8 * GB), 11, 11_294, "q8_0"),
        (11 * GB, 10, 10_000, "q8_0"),
        (int(2.6 * GB), 2, 10_000, "q8_0"),
        (GB, 0, 10_000, "q8_0"),
        (0, 0, 10_000, "q8_0"),
    ],
)
def test_a_dense_model_gives_up_precision_then_cells_then_layers(
    free: int, gpu_layers: int, tokens: int, kv_type: KvType
) -> None:
    plan = plan_memory(DENSE, [Device(free)], HOST, NEEDS, KV_TYPES)
    assert plan == MemoryPlan(Placement(gpu_layers), tokens, kv_type)


@pytest.mark.parametrize(
    ("free", "gpu_layers", "moved"),
    [(60, 11, 0), (30, 11, 4), (12, 11, 8), (5, 11, 10), (3, 7, 10)],
)
def test_experts_leave_before_layers(free: int, gpu_layers: int, moved: int) -> None:
    plan = plan_memory(MIXTURE, [Device(free * GB)], HOST, NEEDS, KV_TYPES)
    assert (plan.placement.gpu_layers, len(plan.placement.host_experts)) == (gpu_layers, moved)


@pytest.mark.parametrize(
    ("host_gb", "tokens", "kv_type"),
    [(20, 40_000, "f16"), (15, 40_000, "q8_0"), (13, 15_058, "q8_0"), (10, 10_000, "q8_0")],
)
def test_main_memory_alone(host_gb: int, tokens: int, kv_type: KvType) -> None:
    plan = plan_memory(DENSE, [], host_gb * GB, NEEDS, KV_TYPES)
    assert plan == MemoryPlan(Placement(0), tokens, kv_type)


def test_a_context_is_left_where_nothing_fits() -> None:
    plan = plan_memory(DENSE, [], 0, NEEDS, ["f16"])
    assert plan == MemoryPlan(Placement(0), MIN_CONTEXT_TOKENS, "f16")
    assert plan_memory(DENSE, [], 0, ContextNeeds(64, 64), ["f16"]).tokens == 64


def test_layers_are_divided_by_the_shares_of_the_devices() -> None:
    needs = ContextNeeds(1000, 1000)
    two = plan_memory(DENSE, [Device(10 * GB, 3.0), Device(4 * GB, 1.0)], HOST, needs, ["f16"])
    assert two.placement == Placement(11)
    tight = plan_memory(DENSE, [Device(10 * GB, 3.0), Device(2 * GB, 1.0)], HOST, needs, ["f16"])
    assert 0 < tight.placement.gpu_layers < 11


def _random_sizes(draw: random.Random) -> ModelSizes:
    count = draw.randint(1, 60)
    is_mixture = draw.random() < 0.5
    return ModelSizes(
        layers=tuple(draw.randint(10**6, 10**9) for _ in range(count)),
        experts=tuple(draw.randint(0, 4 * GB) if is_mixture else 0 for _ in range(count)),
        embeddings=draw.randint(0, GB),
        output=draw.randint(0, GB),
        largest_tensor=draw.randint(0, 10**8),
        kv_fixed=draw.choice([0, draw.randint(0, GB)]),
        kv_per_token=draw.uniform(0, 400_000),
        compute_fixed=draw.randint(0, GB),
        compute_per_token=draw.uniform(0, 4000),
    )


def test_the_binary_search_finds_the_best_of_all() -> None:
    for seed in range(400):
        _check_random_plan(random.Random(seed))


def _check_random_plan(draw: random.Random) -> None:
    sizes = _random_sizes(draw)
    free = int(draw.uniform(0, 1.4) * sizes.weights)
    minimum = draw.randint(MIN_CONTEXT_TOKENS, 20_000)
    needs = ContextNeeds(minimum, minimum + draw.randint(0, 60_000))
    plan = plan_memory(sizes, [Device(free)], 10**15, needs, KV_TYPES)
    assert _device_bytes(sizes, plan) <= free
    assert needs.min_tokens <= plan.tokens <= needs.tokens
    placement, count = plan.placement, len(sizes.layers)
    if placement == Placement(count + 1):
        more = replace(plan, tokens=plan.tokens + 1)
        assert plan.tokens == needs.tokens or _device_bytes(sizes, more) > free
        if plan.kv_type == "q8_0":
            assert _device_bytes(sizes, replace(plan, tokens=needs.tokens, kv_type="f16")) > free
        return
    assert plan.tokens == needs.min_tokens
    better = [Placement(layers, placement.host_experts) for layers in range(1, count + 2)]
    if placement.gpu_layers > count:
        kept = placement.host_experts
        better = [Placement(count + 1, tuple(e for e in kept if e != back)) for back in kept]
        better = [it for it in better if _is_tried(it, sizes)]
    for other in better:
        if other.gpu_layers > placement.gpu_layers or placement.gpu_layers > count:
            assert _device_bytes(sizes, replace(plan, placement=other)) > free


def _is_tried(placement: Placement, sizes: ModelSizes) -> bool:
    """Whether the experts left are those that leave first, evenly spread over the layers."""
    order = sorted(range(len(sizes.layers)), key=lambda layer: int(f"{layer:016b}"[::-1], 2))
    order = [layer for layer in order if sizes.experts[layer]]
    return set(order[: len(placement.host_experts)]) == set(placement.host_experts)
