"""The sizes of a model and its context, as the file and llama.cpp itself state them.

llama.cpp can load a model and open a context without allocating anything; it then logs what it
would have allocated.
"""

import ctypes
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reasoner.engine.local.library import captured_log
from reasoner.engine.local.memory_plan import Device, ModelSizes
from reasoner.models.gguf import GgufHeader

__all__ = ["ContextMeter", "gpu_devices", "kv_upper_bound", "read_sizes"]

LAYER_NAME = re.compile(r"blk\.(\d{1,5})\.")
EXPERTS_NAME = re.compile(r"blk\.\d+\.ffn_(?:up|down|gate|gate_up)_(?:ch)?exps\.")
KV_LINE = re.compile(r"size =\s+(\d+\.\d+) MiB \(")
COMPUTE_LINE = re.compile(r"(\S+) compute buffer size =\s+(\d+\.\d+) MiB")
MIB = 1 << 20
MAX_LAYERS = 4096
MEASURED_TOKENS = (4096, 16384)
GPU_TYPES = (1, 2)
"""ggml's types of devices that hold weights: GPUs with their own memory, else integrated ones."""
RESERVE_DIVISOR, MAX_RESERVE_BYTES = 8, 1 << 30
"""What stays free on a GPU: an eighth, at most 1 GiB, the margin of llama.cpp's own tool."""
F16_BYTES = 2


def read_sizes(headers: Sequence[GgufHeader]) -> ModelSizes:
    """Return the sizes of the weights from the tensor tables of the model's parts."""
    layers: dict[int, int] = {}
    experts: dict[int, int] = {}
    embeddings = output = largest = 0
    tensors = [tensor for header in headers for tensor in header.tensors]
    for tensor in tensors:
        if match := LAYER_NAME.match(tensor.name):
            index = int(match[1])
            group = experts if EXPERTS_NAME.match(tensor.name) else layers
            group[index] = group.get(index, 0) + tensor.size
            largest = max(largest, tensor.size)
        elif tensor.name.startswith("token_embd"):
            embeddings += tensor.size
        else:
            output += tensor.size
    if not any(tensor.name == "output.weight" for tensor in tensors):
        output += embeddings  # the embeddings are the output weights too, and are copied
    count = min(max([*layers, *experts], default=-1) + 1, MAX_LAYERS)
    return ModelSizes(
        layers=tuple(layers.get(index, 0) for index in range(count)),
        experts=tuple(experts.get(index, 0) for index in range(count)),
        embeddings=embeddings,
        output=output,
        largest_tensor=largest,
    )


def kv_upper_bound(lc: Any, model: Any) -> int:
    """Return the most bytes that a token may take in a KV cache of 16-bit numbers: as if each layer
    attended to everything."""
    heads = int(lc.llama_model_n_head(model))
    kv_heads = int(lc.llama_model_n_head_kv(model)) or heads
    width = int(lc.llama_model_n_embd(model)) // max(1, heads)
    sizes = (_head_size(lc, model, kind) or width for kind in ("key", "value"))
    return int(lc.llama_model_n_layer(model)) * kv_heads * sum(sizes) * F16_BYTES


def _head_size(lc: Any, model: Any, kind: str) -> int:
    text = ctypes.create_string_buffer(256)
    if lc.llama_model_meta_val_str(model, b"general.architecture", text, len(text)) < 0:
        return 0
    key = text.value + f".attention.{kind}_length".encode()
    if lc.llama_model_meta_val_str(model, key, text, len(text)) < 0:
        return 0
    return int(text.value) if text.value.isdigit() else 0


class ContextMeter:
    """Measures contexts of a model without allocating them. To be closed after use.

    `is_usable` is False when llama.cpp cannot load the model this way.
    """

    def __init__(self, lc: Any, path: Path, gpu_layers: int) -> None:
        self._lc = lc
        params = lc.llama_model_default_params()
        params.no_alloc, params.load_mode, params.n_gpu_layers = True, 0, gpu_layers
        self._model = lc.llama_model_load_from_file(os.fsencode(path), params)

    @property
    def is_usable(self) -> bool:
        """Whether contexts can be measured."""
        return bool(self._model)

    def n_ctx_train(self) -> int:
        """Return the number of tokens the model was trained on, 0 where it does not say."""
        return int(self._lc.llama_model_n_ctx_train(self._model))

    def measure(self, sizes: ModelSizes, params: Any) -> ModelSizes | None:
        """Return the sizes with those of contexts like `params`, of any number of tokens; None when
        such a context cannot be opened. The memory of a context grows linearly."""
        small, large = MEASURED_TOKENS
        first, second = self._context(params, small), self._context(params, large)
        if first is None or second is None:
            return None
        kv_slope, compute_slope = (
            (more - less) / (large - small) for less, more in zip(first, second, strict=True)
        )
        return replace(
            sizes,
            kv_per_token=kv_slope,
            kv_fixed=max(0, round(first[0] - small * kv_slope)),
            compute_per_token=max(0.0, compute_slope),
            compute_fixed=max(0, round(first[1] - small * compute_slope)),
        )

    def close(self) -> None:
        """Free the model."""
        if self._model:
            self._lc.llama_model_free(self._model)
            self._model = None

    def _context(self, params: Any, tokens: int) -> tuple[float, float] | None:
        """The bytes of the KV cache and of the largest compute buffer of a context."""
        params.n_ctx = tokens
        with captured_log() as pieces:
            context = self._lc.llama_init_from_model(self._model, params)
            if not context:
                return None
            self._lc.llama_free(context)
        log = "".join(pieces)
        kv_bytes = sum(float(number) for number in KV_LINE.findall(log)) * MIB
        buffers = [float(number) for _, number in COMPUTE_LINE.findall(log)]
        return kv_bytes, max(buffers, default=0.0) * MIB


def gpu_devices(lc: Any, shares: Sequence[float]) -> list[Device]:
    """Return the GPUs that llama.cpp puts layers on, with the bytes that are free on them.

    `shares` are the user's; by default each GPU gets layers by its free memory.
    """
    ggml = lc.llama_cpp._lib
    ggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    ggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    count = ggml.ggml_backend_dev_count()
    handles = [ctypes.c_void_p(ggml.ggml_backend_dev_get(ctypes.c_size_t(n))) for n in range(count)]
    kinds = [ggml.ggml_backend_dev_type(handle) for handle in handles]
    used_kind = next((kind for kind in GPU_TYPES if kind in kinds), None)
    devices: list[Device] = []
    for handle in [
        handle for handle, kind in zip(handles, kinds, strict=True) if kind == used_kind
    ]:
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
        usable = free.value - min(free.value // RESERVE_DIVISOR, MAX_RESERVE_BYTES)
        share = shares[len(devices)] if len(devices) < len(shares) else 0.0
        devices.append(Device(usable, share if shares else float(max(1, free.value))))
    return devices
