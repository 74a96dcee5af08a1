"""A row of llama.cpp's output, logits or a hidden state, as an array."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "row_view"]

FloatArray = npt.NDArray[np.float32]


def row_view(pointer: Any, size: int) -> FloatArray:
    """Return `size` floats at a pointer as a writable view, without creating types in every call
    as `np.ctypeslib.as_array` does."""
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    return np.frombuffer(_row_type(size).from_address(address), np.float32)


@cache
def _row_type(size: int) -> Any:
    return ctypes.c_float * size
