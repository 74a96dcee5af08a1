"""How a kind of problem is thought in small steps, as a plugin that knows it tells."""

from pydantic import BaseModel, ConfigDict, Field

from reasoner.problem import Problem
from reasoner.verdict import Verdict

__all__ = ["Frame"]


class Frame(BaseModel):
    """A problem at one point of being thought in small steps, a line each.

    `asked` is what the model is asked; its reply are the steps, and examples of such replies stand
    in its history. `state`, a line in canonical form, is what the steps so far have come to: the
    model sees it before its next step, and where two states are equal one of them is explored.
    `choices` is about how many different steps there are to take. `refuted` says why the last step
    cannot stand. `answer` is the whole reply that the steps amount to, once they have arrived.
    """

    model_config = ConfigDict(frozen=True)

    asked: Problem
    state: str
    choices: int = Field(default=8, ge=1)
    refuted: Verdict | None = None
    answer: str = ""
