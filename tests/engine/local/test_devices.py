"""The memory of devices, as llama.cpp tells it."""

import os

from reasoner.engine.local.devices import CPU_DEVICE_TYPE, device_memory, gpu_memory
from reasoner.engine.local.library import supports_gpu


def test_the_processor_has_the_machines_memory() -> None:
    """The same calls as for a GPU, which machines without one can check."""
    ((free, total),) = device_memory(CPU_DEVICE_TYPE)
    assert total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < free <= total


def test_gpus_have_memory_where_the_build_can_use_them() -> None:
    sizes = gpu_memory()
    assert all(0 < free <= total for free, total in sizes)
    assert supports_gpu() or sizes == []
