"""LoRA adapters: loaded into a model and switched on in a context."""

import ctypes
import os
from collections.abc import Sequence
from typing import Any

from reasoner.engine.local.library import clear_errors, first_error
from reasoner.errors import BadModelFile
from reasoner.models.model_file import check_adapter
from reasoner.types.lora_adapter import LoraAdapter

__all__ = ["apply_adapters"]


def apply_adapters(lc: Any, model: Any, context: Any, adapters: Sequence[LoraAdapter]) -> None:
    """Apply the adapters to all that `context` decodes; freeing the model frees them.

    `lc` is the module `llama_cpp`. Raises BadModelFile for a file that is no adapter, or one that
    does not fit the model.
    """
    if not adapters:
        return
    handles = [_load_adapter(lc, model, adapter) for adapter in adapters]
    pointers = (lc.llama_adapter_lora_p_ctypes * len(handles))(*handles)
    scales = (ctypes.c_float * len(handles))(*(adapter.scale for adapter in adapters))
    if lc.llama_set_adapters_lora(context, pointers, len(handles), scales):
        raise BadModelFile(f"llama.cpp cannot apply {adapters[0].path}: {first_error()}")


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
