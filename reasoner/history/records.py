"""The entries of the history: conversations, and the turns they consist of."""

from pydantic import BaseModel, ConfigDict

from reasoner.types.problem import Message
from reasoner.types.result import Result

__all__ = ["ConversationSummary", "HistoryTurn", "SearchMatch", "turn_messages"]


class HistoryTurn(BaseModel):
    """A question with its answer and the whole result, reasoning included.

    `asked` is the time in UTC, in ISO 8601; `system` is the system prompt. `dropped` turns were
    undone or answered again: they stay in the history but no longer belong to the conversation.
    `result` is None when this version cannot read the stored one.
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


class ConversationSummary(BaseModel):
    """A conversation as a list shows it; `title` is the first line of its first question."""

    model_config = ConfigDict(frozen=True)

    id: str
    updated: str
    title: str
    turns: int
    model: str
    status: str


class SearchMatch(BaseModel):
    """A turn that matches a search, with the excerpt around the first matching word."""

    model_config = ConfigDict(frozen=True)

    conversation: str
    turn: int
    asked: str
    excerpt: str


def turn_messages(turns: list[HistoryTurn]) -> tuple[Message, ...]:
    """The earlier turns as messages for a model: questions and answers without reasoning. Dropped
    turns and turns without an answer are omitted."""
    answered_turns = [turn for turn in turns if not turn.dropped and turn.answer.strip()]
    return tuple(
        message
        for turn in answered_turns
        for message in (
            Message(role="user", content=turn.question),
            Message(role="assistant", content=turn.answer),
        )
    )
