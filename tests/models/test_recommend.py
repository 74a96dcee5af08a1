"""Models are recommended by what fits a machine and by how fast it would run them."""

from pathlib import Path
from typing import Any

import pytest

from reasoner.models.machine import Machine
from reasoner.models.recommend import Recommendation, recommend_models, stronger_model
from reasoner.models.registry import load_registry
from reasoner.models.spec import ModelSpec
from reasoner.settings import DEFAULT_MODEL

GB = 10**9


def machine(ram: float, disk: float = 500, bandwidth: float = 50, **more: Any) -> Machine:
    """A machine with so many gigabytes, and gigabytes per second."""
    return Machine(int(ram * GB), int(disk * GB), bandwidth * GB, **more)


def model(alias: str, size: float | None, **more: Any) -> ModelSpec:
    """An entry for a file of so many gigabytes."""
    fields = {"protocol": "think"} | more
    return ModelSpec(
        alias=alias,
        repo="a/b",
        file=f"{alias}.gguf",
        size=None if size is None else int(size * GB),
        **fields,
    )


def names(recommended: list[Recommendation]) -> list[str]:
    return [item.spec.alias for item in recommended]


def test_what_does_not_fit_memory_or_disk_is_left_out() -> None:
    specs = [model("small", 1), model("medium", 5), model("large", 20)]
    assert names(recommend_models(specs, machine(ram=8, disk=4))) == ["small"]
    assert names(recommend_models(specs, machine(ram=64, disk=9))) == ["medium", "small"]
    assert set(names(recommend_models(specs, machine(ram=64)))) == {"small", "medium", "large"}


def test_a_model_that_is_here_needs_no_disk_space() -> None:
    specs = [model("fetched", 3), model("other", 3)]
    assert names(recommend_models(specs, machine(ram=16, disk=1), {"fetched"})) == ["fetched"]


def test_memory_of_a_gpu_counts_unless_it_is_the_same_memory() -> None:
    specs = [model("large", 16)]
    assert not recommend_models(specs, machine(ram=12))
    gpu = {"vram_bytes": 12 * GB, "gpu_bandwidth": 500.0 * GB}
    assert names(recommend_models(specs, machine(ram=12, **gpu))) == ["large"]
    assert not recommend_models(specs, machine(ram=12, is_unified=True, **gpu))


def test_a_gpu_that_holds_the_model_sets_the_speed() -> None:
    gpu = {"vram_bytes": 24 * GB, "gpu_bandwidth": 500.0 * GB}
    (whole,) = recommend_models([model("m", 10)], machine(ram=32, **gpu))
    (none,) = recommend_models([model("m", 10)], machine(ram=32))
    (part,) = recommend_models([model("m", 10)], machine(ram=32, **gpu | {"vram_bytes": 6 * GB}))
    assert (whole.tokens_per_second, whole.speed) == (30.0, "fast")
    assert (none.tokens_per_second, none.speed) == (3.0, "slow")
    assert part.tokens_per_second is not None
    assert 3 < part.tokens_per_second < 30


def test_a_mixture_of_experts_reads_only_what_a_token_uses() -> None:
    experts = model("experts", 20, parameters=30e9, active_parameters=3e9)
    mixture, dense = recommend_models([model("dense", 20), experts], machine(ram=64))
    assert (mixture.spec.alias, mixture.tokens_per_second) == ("experts", 15.0)
    assert (dense.spec.alias, dense.tokens_per_second) == ("dense", 1.5)


def test_usable_models_come_first_the_larger_the_better() -> None:
    specs = [model("tiny", 0.3), model("older", 4.5), model("slow", 8), model("crawling", 40)]
    assert names(recommend_models(specs, machine(ram=64))) == ["older", "tiny", "slow", "crawling"]


def test_models_of_about_one_size_keep_the_order_of_the_registry() -> None:
    specs = [model("new", 4.4), model("old", 4.8)]
    assert names(recommend_models(specs, machine(ram=64))) == ["new", "old"]
    assert names(recommend_models(specs[::-1], machine(ram=64))) == ["old", "new"]


def test_an_unknown_size_comes_last_and_is_not_judged() -> None:
    first, last = recommend_models([model("unknown", None), model("m", 1)], machine(ram=8))
    assert first.spec.alias == "m"
    assert (last.spec.alias, last.size, last.memory, last.speed) == ("unknown", None, None, None)


def test_value_models_and_servers_are_no_recommendations(tmp_path: Path) -> None:
    weights = tmp_path / "own.gguf"
    weights.write_bytes(b"x" * 1000)
    specs = [
        model("judge", 1, use="value"),
        ModelSpec(alias="remote", url="http://127.0.0.1:1/v1"),
        ModelSpec(alias="own", path=weights),
    ]
    (own,) = recommend_models(specs, machine(ram=8))
    assert (own.spec.alias, own.size) == ("own", 1000)


def test_an_unknown_machine_is_not_said_to_be_too_small() -> None:
    unknown = Machine(ram_bytes=None, disk_bytes=None, bandwidth=50.0 * GB)
    assert names(recommend_models([model("large", 400)], unknown)) == ["large"]


@pytest.mark.parametrize(
    ("candidate", "is_stronger"),
    [
        (model("thinks", 4), True),
        (model("instructs", 4, protocol="plain"), False),
        (model("similar", 1.8), False),
        (model("slow", 12), False),
        (model("experts", 4, parameters=40e9, active_parameters=1e9), False),
    ],
)
def test_far_stronger_is_larger_thinks_and_is_fast_enough(
    candidate: ModelSpec, is_stronger: bool
) -> None:
    default = model("default", 1, protocol="plain")
    stronger = stronger_model(recommend_models([default, candidate], machine(ram=64)), default)
    assert (stronger is not None) == is_stronger


def test_who_has_a_stronger_model_is_not_told_of_others() -> None:
    specs = [model("default", 1), model("one", 4), model("two", 4)]
    recommended = recommend_models(specs, machine(ram=64), {"two"})
    assert stronger_model(recommended, specs[0]) is None


@pytest.mark.parametrize(
    ("ram", "bandwidth", "families"),
    [
        (4, 15, {"Qwen"}),
        (16, 40, {"gpt-oss", "Qwen", "Gemma"}),
        (64, 60, {"gpt-oss", "Qwen", "Gemma", "GLM"}),
    ],
)
def test_the_shipped_registry_has_something_stronger_for_usual_machines(
    own_directories: Path, ram: float, bandwidth: float, families: set[str]
) -> None:
    registry = load_registry()
    recommended = recommend_models(registry.values(), machine(ram, bandwidth=bandwidth))
    best = stronger_model(recommended, registry[DEFAULT_MODEL])
    assert (best is None) == (ram == 4)  # nothing that is twice as large fits beside the system
    if best is not None:
        assert any(best.spec.description.startswith(family) for family in families)
    assert DEFAULT_MODEL in names(recommended)
