"""Models are loaded to where they fit; the GPU here is one that only claims to have memory."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reasoner.context_needs import ContextNeeds
from reasoner.engine.local import loading
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.library import load_llama_cpp
from reasoner.engine.local.measure import read_sizes
from reasoner.engine.local.memory_plan import Device, MemoryPlan, Placement
from reasoner.models.gguf import GgufHeader, TensorInfo
from reasoner.settings import EngineSettings
from tests.mixture_gguf import LAYERS, write_mixture_gguf
from tests.tiny_gguf import write_tiny_gguf

MB = 10**6
NEEDS = ContextNeeds(9000, 30_000)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes 256 bytes per token of context and was trained on many tokens."""
    return write_tiny_gguf(tmp_path_factory.mktemp("loading") / "m.gguf", n_ctx_train=1 << 17)


class Machine:
    """The memory that the loader is told of, and what it told the user."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
        self._patch, self._model = monkeypatch, model
        self.notices: list[str] = []

    def plan(self, host: int, *gpus: int, **settings: Any) -> tuple[MemoryPlan, int]:
        """The plan, and the number of cells of the context that was opened by it."""
        lc = load_llama_cpp()
        devices = [Device(free) for free in gpus]
        self._patch.setattr(loading, "available_memory", lambda: host)
        self._patch.setattr(loading, "gpu_devices", lambda _lc, _shares: devices)
        self._patch.setattr(lc, "llama_supports_gpu_offload", lambda: bool(devices))
        self.notices.clear()
        chosen = EngineSettings(sequences=4, **settings)
        context = LlamaContext(self._model, chosen, self.notices.append, NEEDS)
        try:
            return context._loaded.plan, context.n_cells
        finally:
            context.close()
            context.free_model()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, model: Path) -> Machine:
    return Machine(monkeypatch, model)


def test_the_context_shrinks_with_the_memory(machine: Machine) -> None:
    plan, cells = machine.plan(10_000 * MB)
    assert (plan.tokens, plan.kv_type, machine.notices) == (30_000, "f16", [])
    assert 0 <= cells - 30_000 < 256
    sizes = [machine.plan(free * MB)[0] for free in (38, 25, 13, 1)]
    assert [plan.kv_type for plan in sizes] == ["q8_0"] * 4
    tokens = [plan.tokens for plan in sizes]
    assert tokens[0] == 30_000 > tokens[1] > tokens[2] >= tokens[3] == 512
    assert machine.notices == [
        "memory is short, 1 MB are free: the context holds 512 tokens, kept as q8_0"
    ]


def test_what_was_set_stays(machine: Machine) -> None:
    plan, _ = machine.plan(12 * MB, context=20_000)
    assert (plan.tokens, plan.kv_type) == (20_000, "q8_0")
    plan, _ = machine.plan(12 * MB, kv_type="f16")
    assert plan.kv_type == "f16"
    assert plan.tokens < NEEDS.min_tokens
    plan, _ = machine.plan(12 * MB, flash_attention="off")
    assert plan.kv_type == "f16"
    plan, _ = machine.plan(10_000 * MB, 10_000 * MB, gpu_layers=1)
    assert plan.placement == Placement(1)


def test_layers_are_searched_for_what_fits(machine: Machine) -> None:
    plan, _ = machine.plan(10_000 * MB, 1000 * MB)
    assert (plan.placement, machine.notices) == (Placement(3), [])
    plan, _ = machine.plan(10_000 * MB, MB // 10)
    assert plan.placement == Placement(0)
    assert "0 of 3 layers fit on the GPU" in machine.notices
    plan, _ = machine.plan(10_000 * MB, 500 * MB, 500 * MB, tensor_split=(1.0, 1.0))
    assert plan.placement == Placement(3)


def test_a_mixture_leaves_experts_in_main_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(monkeypatch, write_mixture_gguf(tmp_path / "m.gguf"))
    plan, _ = machine.plan(10_000 * MB, 1000 * MB)
    assert plan.placement == Placement(LAYERS + 1)
    moved, on_gpu = [], []
    for free in range(40, 8, -1):
        plan, _ = machine.plan(10_000 * MB, free * MB)
        moved.append(len(plan.placement.host_experts))
        on_gpu.append(plan.placement.gpu_layers)
        if moved[-1] and on_gpu[-1] > LAYERS:
            assert f"the experts of {moved[-1]} of 4 layers stay in main memory" in machine.notices
    assert moved == sorted(moved)
    assert on_gpu == sorted(on_gpu, reverse=True)
    assert {1, 2, 3} <= {*moved}
    assert on_gpu[moved.index(LAYERS)] == LAYERS + 1
    assert on_gpu[-1] < LAYERS + 1


def test_another_plan_follows_where_loading_fails(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lc = load_llama_cpp()
    load, tried = lc.llama_model_load_from_file, []

    def fail_with_many_layers(path: bytes, params: Any) -> Any:
        if params.no_alloc:
            return load(path, params)
        tried.append(int(params.n_gpu_layers))
        return load(path, params) if params.n_gpu_layers < 2 else None

    monkeypatch.setattr(lc, "llama_model_load_from_file", fail_with_many_layers)
    plan, _ = machine.plan(10_000 * MB, 12 * MB)
    assert tried == sorted(tried, reverse=True)
    assert tried[0] == 3
    assert plan.placement.gpu_layers == tried[-1] < 2


def test_experts_are_left_in_main_memory_by_their_names() -> None:
    import re

    lc = load_llama_cpp()
    assert loading._expert_overrides(lc, ()) is None
    overrides = loading._expert_overrides(lc, (0, 12))
    pattern = re.compile(overrides[0].pattern.decode())
    assert pattern.search("blk.12.ffn_gate_up_exps.weight")
    assert pattern.search("blk.0.ffn_down_chexps.weight")
    for name in ("blk.1.ffn_up_exps.weight", "blk.0.ffn_up_shexp.weight", "blk.0.ffn_up.weight"):
        assert not pattern.search(name)
    assert overrides[0].buffer_type
    assert overrides[1].pattern is None


def test_a_model_loads_with_such_overrides(model: Path) -> None:
    lc = load_llama_cpp()
    overrides = loading._expert_overrides(lc, (0, 1))
    params = lc.llama_model_default_params()
    params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p).value
    handle = lc.llama_model_load_from_file(str(model).encode(), params)
    assert handle
    lc.llama_model_free(handle)


def _header(*tensors: tuple[str, Sequence[int]]) -> GgufHeader:
    return GgufHeader(tensors=[TensorInfo(name, tuple(shape), 1, 0) for name, shape in tensors])


def test_the_sizes_of_the_tensor_table() -> None:
    sizes = read_sizes(
        [
            _header(("token_embd.weight", (8, 100)), ("blk.0.attn_q.weight", (8, 8))),
            _header(
                ("blk.1.ffn_up_exps.weight", (8, 16, 4)),
                ("blk.1.ffn_up_shexp.weight", (8, 16)),
                ("output_norm.weight", (8,)),
            ),
        ]
    )
    assert sizes.layers == (128, 256)
    assert sizes.experts == (0, 1024)
    assert (sizes.embeddings, sizes.largest_tensor) == (1600, 1024)
    assert sizes.output == 16 + 1600  # the embeddings once more
    assert sizes.weights == 128 + 256 + 1024 + 1600 + 1616
