"""How much search one effort level stands for, as data."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EffortPlan"]


class EffortPlan(BaseModel):
    """The strategy, with its options, that an effort level stands for. `budget` caps the reasoning
    tokens of each trajectory where it differs from the effort's usual budget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str = "linear"
    options: Mapping[str, Any] = {}
    budget: Annotated[int, Field(ge=0)] | None = None
