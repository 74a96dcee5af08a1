"""The memory of the GPUs that this build of llama.cpp can use."""

import ctypes
import sys

from reasoner.engine.local.library import load_llama_cpp

__all__ = ["gpu_memory", "has_unified_memory"]

GPU_DEVICE_TYPE = 1
"""ggml's type of a device with memory of its own; integrated GPUs are of another type."""


def gpu_memory() -> list[tuple[int, int]]:
    """The free and total bytes of each GPU, in llama.cpp's order. Empty without a GPU or in a
    build without GPU support."""
    lc = load_llama_cpp()
    if not lc.llama_supports_gpu_offload():
        return []
    library = lc.llama_cpp._lib
    try:
        count, get = library.ggml_backend_dev_count, library.ggml_backend_dev_get
        kind, memory = library.ggml_backend_dev_type, library.ggml_backend_dev_memory
    except AttributeError:  # another version of the library
        return []
    count.restype, get.restype, kind.restype = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
    devices = [ctypes.c_void_p(get(ctypes.c_size_t(number))) for number in range(count())]
    sizes = []
    for device in devices:
        if kind(device) == GPU_DEVICE_TYPE:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            memory(device, ctypes.byref(free), ctypes.byref(total))
            sizes.append((free.value, total.value))
    return sizes


def has_unified_memory() -> bool:
    """Whether the GPU's memory is the machine's, as on Apple's processors."""
    return sys.platform == "darwin"
