"""What a run of rollouts is told."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RolloutPlan"]


class RolloutPlan(BaseModel):
    """How much is made of each problem. With `samples` 0 only what people wrote is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Annotated[int, Field(ge=0, le=64)] = 4
    """Solutions drawn for each problem."""
    continuations: Annotated[int, Field(ge=0, le=64)] = 3
    """Solutions drawn from the end of a step to find where one went wrong; 0: none."""
    corruptions: Annotated[int, Field(ge=0, le=16)] = 1
    """Steps made wrong in each right solution."""
    systems: tuple[str, ...] = ()
    """System prompts the samples take turns with; none: the protocol's own."""
    max_tokens: Annotated[int, Field(ge=16)] = 512
    temperature: Annotated[float, Field(gt=0, le=10)] = 0.8
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
