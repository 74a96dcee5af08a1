"""LoRA adapters: loaded into a model once, switched on in each of its contexts."""

import ctypes
import os
from collections.abc import Sequence
from typing import Any

from reasoner.engine.local.library import clear_errors, first_error
from reasoner.errors import BadModelFile
from reasoner.models.model_file import check_adapter
from reasoner.types.lora_adapter import LoraAdapter

__all__ = ["LoadedAdapters"]


class LoadedAdapters:
    """Adapters in memory; they are freed with their model.

    `lc` is the module `llama_cpp`, `model` its handle of a model. Raises BadModelFile for a file
    that is no adapter, or one that does not fit the model.
    """

    def __init__(self, lc: Any, model: Any, adapters: Sequence[LoraAdapter]) -> None:
        self._lc, self._adapters = lc, adapters
        self._handles = [_load_adapter(lc, model, adapter) for adapter in adapters]

    def apply(self, context: Any) -> None:
        """Apply the adapters to all that the context decodes. Raises BadModelFile when llama.cpp
        refuses."""
        count = len(self._handles)
        if not count:
            return
        handles = (self._lc.llama_adapter_lora_p_ctypes * count)(*self._handles)
        scales = (ctypes.c_float * count)(*(adapter.scale for adapter in self._adapters))
        clear_errors()
        if self._lc.llama_set_adapters_lora(context, handles, count, scales):
            raise BadModelFile(
                f"llama.cpp cannot apply {self._adapters[0].path}: {first_error()}; leave it out"
            )


def _load_adapter(lc: Any, model: Any, adapter: LoraAdapter) -> Any:
    path = adapter.path.expanduser()
    check_adapter(path)
    clear_errors()
    handle = lc.llama_adapter_lora_init(model, os.fsencode(path))
    if not handle:
        raise BadModelFile(
            f"{path} does not fit this model: {first_error()}; name an adapter that was made for it"
        )
    if lc.llama_adapter_get_alora_n_invocation_tokens(handle):
        raise BadModelFile(
            f"{path} acts only after certain tokens (aLoRA), which is not supported; name a plain "
            "LoRA adapter"
        )
    return handle
