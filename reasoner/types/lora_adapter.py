"""A LoRA adapter that changes a model's weights while it runs (Hu et al. 2021)."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["LoraAdapter"]

MAX_SCALE = 100.0


class LoraAdapter(BaseModel):
    """A GGUF file with an adapter, and the factor by which its change of the weights is multiplied.

    It is also read from the text `FILE` or `FILE:SCALE`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    scale: Annotated[float, Field(ge=-MAX_SCALE, le=MAX_SCALE, allow_inf_nan=False)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _parse_text(cls, data: Any) -> Any:
        if not isinstance(data, str | Path):
            return data
        file, colon, scale = str(data).rpartition(":")
        try:
            fields = {"path": file, "scale": float(scale)} if colon else {"path": str(data)}
        except ValueError:  # a colon of the file's name
            fields = {"path": str(data)}
        if not fields["path"]:
            raise ValueError(f"'{data}' names no file; write FILE or FILE:SCALE")
        return fields
