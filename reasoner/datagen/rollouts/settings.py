"""The settings of a run of rollouts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RolloutPlan"]


class RolloutPlan(BaseModel):
    """How much data is made from each problem. With `samples` 0 only human solutions are used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Annotated[int, Field(ge=0, le=64)] = 4
    """Solutions sampled for each problem."""
    continuations: Annotated[int, Field(ge=0, le=64)] = 3
    """Solutions sampled from the end of a step to find the first wrong one; 0: none."""
    corruptions: Annotated[int, Field(ge=0, le=16)] = 1
    """Corrupted steps for each right solution."""
    systems: tuple[str, ...] = ()
    """System prompts that the samples use in turn; without any, the protocol's own."""
    max_tokens: Annotated[int, Field(ge=16)] = 512
    temperature: Annotated[float, Field(gt=0, le=10)] = 0.8
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
