"""What the history holds: conversations, and the turns they are made of."""

from pydantic import BaseModel, ConfigDict

from reasoner.problem import Message
from reasoner.result import Result

__all__ = ["Conversation", "Found", "Turn", "messages"]


class Turn(BaseModel):
    """A question and everything that came of it, reasoning included.

    `asked` is UTC in ISO 8601; `system` the system prompt it was asked under. `dropped` turns were
    undone or answered anew: they stay in the record and out of the talk. `result` is None where
    what was stored can no longer be read.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    asked: str
    question: str
    answer: str
    status: str
    model: str
    system: str | None = None
    dropped: bool = False
    result: Result | None = None


class Conversation(BaseModel):
    """A talk as a list shows it; `title` is the first line of its first question."""

    model_config = ConfigDict(frozen=True)

    id: str
    updated: str
    title: str
    turns: int
    model: str
    status: str


class Found(BaseModel):
    """A turn that a search found, and the part of it that shows why."""

    model_config = ConfigDict(frozen=True)

    conversation: str
    turn: int
    asked: str
    excerpt: str


def messages(turns: list[Turn]) -> tuple[Message, ...]:
    """What a model is shown of earlier turns: questions and answers, no reasoning, nothing dropped,
    no turn without an answer."""
    told = [turn for turn in turns if not turn.dropped and turn.answer.strip()]
    return tuple(
        message
        for turn in told
        for message in (
            Message(role="user", content=turn.question),
            Message(role="assistant", content=turn.answer),
        )
    )
