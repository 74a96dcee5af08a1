"""The question: what is asked, what was said before, and what would count as right."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Message", "Problem"]


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class Problem(BaseModel):
    """A question with its context.

    `history` holds earlier turns, oldest first, without their reasoning. `system` replaces the
    protocol's own instruction. `expect` is the known answer: it is used to check the result and
    is never shown to a model. `tests` is Python that checks the reply's code: assertions,
    `check(candidate)` or `test_…` functions; `entry_point` names the function they are about
    (None: the one the question leaves to be written). Neither is shown to a model.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    system: str | None = None
    history: tuple[Message, ...] = ()
    expect: str | None = None
    tests: str | None = None
    entry_point: str | None = None
