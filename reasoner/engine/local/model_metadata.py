"""Single values of a loaded model's GGUF metadata."""

import ctypes
from typing import Any

__all__ = ["has_metadata", "integer_metadata"]

MAX_VALUE_BYTES = 64


def has_metadata(model: Any, key: str) -> bool:
    """Whether the file has the key."""
    return _value(model, key) is not None


def integer_metadata(model: Any, key: str) -> int | None:
    """The value of a key as a number; None where it is absent or no number."""
    value = _value(model, key)
    return int(value) if value is not None and value.isdigit() else None


def _value(model: Any, key: str) -> bytes | None:
    """The beginning of the value as text."""
    import llama_cpp as lc

    buffer = ctypes.create_string_buffer(MAX_VALUE_BYTES)
    size = lc.llama_model_meta_val_str(model, key.encode(), buffer, MAX_VALUE_BYTES)
    return None if size < 0 else buffer.value
