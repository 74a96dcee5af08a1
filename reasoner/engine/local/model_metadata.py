"""Single values of a loaded model's GGUF metadata."""

import ctypes
from typing import Any

__all__ = ["integer_metadata"]

MAX_VALUE_BYTES = 64


def integer_metadata(model: Any, key: str) -> int | None:
    """The value of a key as a number; None where it is absent or no natural number."""
    import llama_cpp as lc

    buffer = ctypes.create_string_buffer(MAX_VALUE_BYTES)
    size = lc.llama_model_meta_val_str(model, key.encode(), buffer, MAX_VALUE_BYTES)
    return int(buffer.value) if size >= 0 and buffer.value.isdigit() else None
