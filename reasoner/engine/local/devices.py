"""The memory of the GPUs that this build of llama.cpp can use."""

import ctypes
import sys

from reasoner.engine.local.library import load_llama_cpp

__all__ = ["CPU_DEVICE_TYPE", "device_memory", "gpu_memory", "has_unified_memory"]

CPU_DEVICE_TYPE, GPU_DEVICE_TYPE = 0, 1
"""ggml's types of devices. Integrated GPUs, which have no memory of their own, are of another."""


def gpu_memory() -> list[tuple[int, int]]:
    """The free and total bytes of each GPU, in llama.cpp's order. Empty without a GPU or in a
    build without GPU support."""
    if not load_llama_cpp().llama_supports_gpu_offload():
        return []
    return device_memory(GPU_DEVICE_TYPE)


def device_memory(device_type: int) -> list[tuple[int, int]]:
    """The free and total bytes of each device of this type that llama.cpp knows."""
    library = load_llama_cpp().llama_cpp._lib
    try:
        count, get = library.ggml_backend_dev_count, library.ggml_backend_dev_get
        kind, memory = library.ggml_backend_dev_type, library.ggml_backend_dev_memory
    except AttributeError:  # another version of the library
        return []
    count.restype, get.restype, kind.restype = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
    devices = [ctypes.c_void_p(get(ctypes.c_size_t(number))) for number in range(count())]
    sizes = []
    for device in devices:
        if kind(device) == device_type:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            memory(device, ctypes.byref(free), ctypes.byref(total))
            sizes.append((free.value, total.value))
    return sizes


def has_unified_memory() -> bool:
    """Whether the GPU's memory is the machine's, as on Apple's processors."""
    return sys.platform == "darwin"
