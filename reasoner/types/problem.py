"""A problem: the question, the conversation before it, and what a right answer is checked with."""

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

    `history` holds the earlier turns, oldest first, without their reasoning. `system` replaces the
    protocol's own instruction. `expect` is the known answer, used only to check the result. `tests`
    is Python code that checks the reply's code: assertions, `check(candidate)` or `test_…`
    functions. `entry_point` names the function under test; None stands for the one that the
    question leaves to be written. `expect` and `tests` are never shown to a model.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    system: str | None = None
    history: tuple[Message, ...] = ()
    expect: str | None = None
    tests: str | None = None
    entry_point: str | None = None
