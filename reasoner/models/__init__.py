"""Which file a model's name stands for, and how it gets here. Importing this loads nothing."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasoner.models.catalog import formats, registry
    from reasoner.models.checksum import model_checksum
    from reasoner.models.ensure import ensure_model
    from reasoner.models.format import ValueFormat
    from reasoner.models.gguf import check_gguf
    from reasoner.models.here import find_model, find_models, remove_model
    from reasoner.models.metadata import ModelInfo, read_info
    from reasoner.models.progress import Notice, Progress
    from reasoner.models.spec import ModelFile, ModelSpec

__all__ = [
    "ModelFile",
    "ModelInfo",
    "ModelSpec",
    "Notice",
    "Progress",
    "ValueFormat",
    "check_gguf",
    "ensure_model",
    "find_model",
    "find_models",
    "formats",
    "model_checksum",
    "read_info",
    "registry",
    "remove_model",
]

HOME = {
    "ModelFile": "spec",
    "ModelInfo": "metadata",
    "ModelSpec": "spec",
    "Notice": "progress",
    "Progress": "progress",
    "ValueFormat": "format",
    "check_gguf": "gguf",
    "ensure_model": "ensure",
    "find_model": "here",
    "find_models": "here",
    "formats": "catalog",
    "model_checksum": "checksum",
    "read_info": "metadata",
    "registry": "catalog",
    "remove_model": "here",
}


def __getattr__(name: str) -> Any:
    if name in HOME:
        return getattr(import_module(f"{__name__}.{HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
