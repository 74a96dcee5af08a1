"""Loads a model's weights to where they fit, and decides how large its context may be."""

import ctypes
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reasoner.context_needs import ContextNeeds
from reasoner.engine.local.host_memory import available_memory
from reasoner.engine.local.library import clear_errors, first_error
from reasoner.engine.local.measure import ContextMeter, gpu_devices, kv_upper_bound, read_sizes
from reasoner.engine.local.memory_plan import (
    Device,
    KvType,
    MemoryPlan,
    ModelSizes,
    Placement,
    plan_memory,
)
from reasoner.errors import BadModelFile
from reasoner.models.model_file import read_model_parts
from reasoner.models.shards import model_size
from reasoner.models.space import format_bytes
from reasoner.settings import EngineSettings

__all__ = ["FLASH_ATTENTION", "GGML_TYPES", "LoadedModel", "load_model"]

GGML_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}
FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
SHORT_KV_TYPE: KvType = "q8_0"
COMPUTE_BYTES_GUESS = 1 << 28
"""Assumed for the compute buffers where they are not measured."""
LOAD_SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""The shares of the GPUs' free memory that are planned with, one after the other, when llama.cpp
could not load a model as planned."""
MEASURED_SEQUENCES = 8
ALL_LAYERS = -1


@dataclass(frozen=True)
class LoadedModel:
    """llama.cpp's handle of a model and the plan that it was loaded by. `overrides` must live as
    long as the model."""

    handle: Any
    plan: MemoryPlan
    overrides: Any = None

    @property
    def on_gpu(self) -> bool:
        """Whether any layer is on a GPU."""
        return self.plan.placement.gpu_layers != 0


def load_model(
    lc: Any,
    path: Path,
    settings: EngineSettings,
    needs: ContextNeeds,
    notice: Callable[[str], None],
) -> LoadedModel:
    """Load the model and plan its context, both as the settings say and as the memory allows.

    `lc` is the module `llama_cpp`; `needs` are those of a context whose size is not set. What is
    smaller than needed is told to `notice`. Raises BadModelFile for a file that llama.cpp cannot
    load.
    """
    return _Loader(lc, path, settings, needs, notice).load()


class _Loader:
    def __init__(
        self,
        lc: Any,
        path: Path,
        settings: EngineSettings,
        needs: ContextNeeds,
        notice: Callable[[str], None],
    ) -> None:
        self._lc, self._path, self._settings, self._notice = lc, path, settings, notice
        set_tokens = settings.context
        self._needs = ContextNeeds(set_tokens, set_tokens) if set_tokens else needs
        self._host_free = available_memory()
        can_offload = bool(lc.llama_supports_gpu_offload())
        self._devices = (
            gpu_devices(lc, settings.tensor_split)
            if can_offload and settings.gpu_layers == "auto"
            else []
        )
        if not can_offload and settings.gpu_layers not in ("auto", 0):
            notice(
                "this llama-cpp-python was built without GPU support, running on the CPU "
                "(README: GPU builds)"
            )
        requested = settings.gpu_layers if isinstance(settings.gpu_layers, int) else ALL_LAYERS
        self._layers = requested if can_offload and settings.gpu_layers != "auto" else 0

    def load(self) -> LoadedModel:
        if self._devices:
            return self._load_on_gpus()
        placement = Placement(self._layers)
        handle, _ = self._try_to_load(placement)
        if not handle:
            raise self._failure()
        plan = self._plan_for_host(handle, placement)
        self._tell_plan(plan, f"{format_bytes(self._host_free)} are free")
        return LoadedModel(handle, plan)

    # -- without a search ------------------------------------------------------------------

    def _plan_for_host(self, handle: Any, placement: Placement) -> MemoryPlan:
        """The context in main memory. It is measured only where it may not fit, since that means
        reading the vocabulary again."""
        if not self._settings.context:
            self._needs = self._needs.for_trained_length(
                int(self._lc.llama_model_n_ctx_train(handle)) or self._needs.min_tokens
            )
        plan = MemoryPlan(placement, self._needs.tokens, self._settings.kv_type)
        weights = model_size(self._path)
        most = weights + COMPUTE_BYTES_GUESS + plan.tokens * kv_upper_bound(self._lc, handle)
        if placement.gpu_layers or most <= self._host_free:
            return plan
        sizes = ModelSizes((0,), (0,), embeddings=weights, output=0, largest_tensor=0)
        return self._measured_plan(sizes, [], 0) or plan

    # -- with a search ---------------------------------------------------------------------

    def _load_on_gpus(self) -> LoadedModel:
        sizes = read_sizes([header for _, header in read_model_parts(self._path)])
        for share in LOAD_SHARES:
            devices = [replace(device, free=int(share * device.free)) for device in self._devices]
            plan = self._measured_plan(sizes, devices, ALL_LAYERS)
            if plan is None:
                raise self._failure()
            handle, overrides = self._try_to_load(plan.placement)
            if handle:
                self._tell_placement(plan.placement, sizes)
                free = sum(device.free for device in self._devices)
                self._tell_plan(plan, f"{format_bytes(free)} of the GPU are free")
                return LoadedModel(handle, plan, overrides)
        raise self._failure()

    def _measured_plan(
        self, sizes: ModelSizes, devices: Sequence[Device], gpu_layers: int
    ) -> MemoryPlan | None:
        """The plan by llama.cpp's own numbers; None where it cannot even simulate the model."""
        clear_errors()
        meter = ContextMeter(self._lc, self._path, gpu_layers)
        try:
            if not meter.is_usable:
                return None
            trained = meter.n_ctx_train()
            if not self._settings.context and trained:
                self._needs = self._needs.for_trained_length(trained)
            measured = meter.measure(sizes, self._context_params(self._settings.kv_type)) or sizes
            kv_types: list[KvType] = [self._settings.kv_type]
            if "kv_type" not in self._settings.model_fields_set and meter.measure(
                sizes, self._context_params(SHORT_KV_TYPE)
            ):
                kv_types.append(SHORT_KV_TYPE)
        finally:
            meter.close()
        plan = plan_memory(measured, devices, self._host_free, self._needs, kv_types)
        set_tokens = self._settings.context
        return replace(plan, tokens=set_tokens) if set_tokens else plan

    def _context_params(self, kv_type: KvType) -> Any:
        settings = self._settings
        params = self._lc.llama_context_default_params()
        params.n_batch = settings.batch
        params.n_ubatch = min(512, settings.batch)
        params.n_seq_max = params.n_outputs_max = min(MEASURED_SEQUENCES, settings.sequences)
        params.kv_unified = True
        params.pooling_type = 0
        params.flash_attn_type = FLASH_ATTENTION[settings.flash_attention]
        params.type_k = params.type_v = GGML_TYPES[kv_type]
        return params

    # -- llama.cpp -------------------------------------------------------------------------

    def _try_to_load(self, placement: Placement) -> tuple[Any, Any]:
        """The model's handle, null where it cannot be loaded, and what must live as long."""
        params = self._lc.llama_model_default_params()
        params.n_gpu_layers = placement.gpu_layers
        params.main_gpu = self._settings.main_gpu
        overrides = _expert_overrides(self._lc, placement.host_experts)
        if overrides is not None:
            params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p).value
        split = None
        if shares := self._settings.tensor_split:
            size = max(self._lc.llama_max_devices(), len(shares))
            split = (ctypes.c_float * size)(*shares)
            params.tensor_split = split
        clear_errors()
        handle = self._lc.llama_model_load_from_file(os.fsencode(self._path), params)
        return handle, (overrides, split)

    def _failure(self) -> BadModelFile:
        return BadModelFile(f"llama.cpp cannot load {self._path.name}: {first_error()}")

    # -- notices ---------------------------------------------------------------------------

    def _tell_plan(self, plan: MemoryPlan, free: str) -> None:
        if plan.tokens < self._needs.tokens or plan.kv_type != self._settings.kv_type:
            self._notice(
                f"memory is short, {free}: the context holds {plan.tokens} tokens, kept as "
                f"{plan.kv_type}"
            )

    def _tell_placement(self, placement: Placement, sizes: ModelSizes) -> None:
        count = len(sizes.layers) + 1
        if placement.gpu_layers < count:
            self._notice(f"{placement.gpu_layers} of {count} layers fit on the GPU")
        elif placement.host_experts:
            moved, layers = len(placement.host_experts), len(sizes.layers)
            self._notice(f"the experts of {moved} of {layers} layers stay in main memory")


class _TensorOverride(ctypes.Structure):
    """llama.cpp's `llama_model_tensor_buft_override`: which buffers tensors by this name go to."""

    _fields_ = [("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p)]


def _expert_overrides(lc: Any, layers: Sequence[int]) -> Any:
    """An array, ended by an empty entry, that leaves the experts of these layers in main memory."""
    if not layers:
        return None
    ggml = lc.llama_cpp._lib
    ggml.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
    numbers = "|".join(map(str, layers))
    pattern = rf"^blk\.({numbers})\.ffn_(up|down|gate|gate_up)_(ch)?exps\.".encode()
    entry = _TensorOverride(pattern, ggml.ggml_backend_cpu_buffer_type())
    return (_TensorOverride * 2)(entry, _TensorOverride())
