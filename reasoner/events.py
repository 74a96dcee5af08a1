"""What happens along the way: live view, NDJSON, trace and tests read this one stream."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from reasoner.path import Step
from reasoner.result import Result
from reasoner.verdict import Verdict

__all__ = [
    "Channel",
    "Event",
    "NoticeEvent",
    "OnEvent",
    "ResultEvent",
    "StepEvent",
    "TextEvent",
    "VerdictEvent",
]


Channel = Literal["reasoning", "answer"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class TextEvent(_Event):
    """A piece of text as it was written; `path` numbers the line of thought it belongs to."""

    kind: Literal["text"] = "text"
    path: int = 0
    channel: Channel
    text: str


class StepEvent(_Event):
    """A step was completed."""

    kind: Literal["step"] = "step"
    path: int = 0
    index: int
    step: Step


class VerdictEvent(_Event):
    """A check spoke."""

    kind: Literal["verdict"] = "verdict"
    path: int = 0
    verdict: Verdict


class NoticeEvent(_Event):
    """Something the user should know that is not an error, on one line."""

    kind: Literal["notice"] = "notice"
    text: str


class ResultEvent(_Event):
    """The last event of every question."""

    kind: Literal["result"] = "result"
    result: Result


Event = Annotated[
    TextEvent | StepEvent | VerdictEvent | NoticeEvent | ResultEvent, Field(discriminator="kind")
]
OnEvent = Callable[[Event], None]
