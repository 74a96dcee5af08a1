"""The state of an environment: a kind of problem whose rules a plugin knows step by step."""

from pydantic import BaseModel, ConfigDict, Field

from reasoner.types.problem import Problem
from reasoner.types.verdict import Verdict

__all__ = ["EnvironmentState"]


class EnvironmentState(BaseModel):
    """The state that a plugin computes after some one-line steps towards a problem's solution.

    `prompt_problem` is the problem as the model is prompted with it: its reply consists of the
    steps, and its history holds few-shot examples of such replies. `state` is the state after the
    steps as one line in canonical form; the model reads it before its next step, and of two equal
    states only one is explored. `choice_count` is the approximate number of possible next steps.
    `refutation` is a failing verdict on the last step where the rules forbid it. `answer` is the
    complete reply that the steps amount to, empty before they reach a solution.
    """

    model_config = ConfigDict(frozen=True)

    prompt_problem: Problem
    state: str
    choice_count: int = Field(default=8, ge=1)
    refutation: Verdict | None = None
    answer: str = ""
