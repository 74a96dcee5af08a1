"""What happens along the way: live view, NDJSON, trace and tests read this one stream."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reasoner.path import FinishReason, Step
from reasoner.result import Result
from reasoner.verdict import Verdict

__all__ = [
    "CandidateEvent",
    "Channel",
    "Event",
    "Live",
    "NodeEvent",
    "NoticeEvent",
    "OnEvent",
    "ResultEvent",
    "StartEvent",
    "StepEvent",
    "TextEvent",
    "VerdictEvent",
]


Channel = Literal["reasoning", "answer"]
Live = Literal["reply", "reasoning", "nothing"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class StartEvent(_Event):
    """The first event of every question: which model answers it, and how.

    `live` tells what may be shown of the first line of thought while it is written: the whole
    reply, its reasoning only, as the answer is chosen at the end, or nothing.
    """

    kind: Literal["start"] = "start"
    model: str
    effort: str
    strategy: str
    strategy_options: dict[str, JsonValue] = {}
    seed: int
    live: Live


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
    """A check spoke: about the step with the index `step`, or about the line as a whole."""

    kind: Literal["verdict"] = "verdict"
    path: int = 0
    step: int | None = None
    verdict: Verdict


class CandidateEvent(_Event):
    """A line of thought came to its end; a search has several.

    `standing` ranks it by its verdicts, `value` is what the value model gives for it; both
    lie in [0, 1] and are None where nobody was asked.
    """

    kind: Literal["candidate"] = "candidate"
    path: int
    final: str | None
    finish_reason: FinishReason
    tokens: int
    standing: float | None = None
    value: float | None = None


class NodeEvent(_Event):
    """Where a state of a search stands: told when it is made, scored, visited or pruned.

    A line of thought keeps its number while it does not fork, so `path` and `depth` together name
    the state; `parent` is the number it forked off from, when that had `forked` steps. The state
    itself has `steps` steps, and its answer when `done`. `value` lies in [0, 1]. A pruned state
    that says the same as another one names its number in `same`; one whose line is then written
    on from before it was drawn anew.
    """

    kind: Literal["node"] = "node"
    path: int
    parent: int | None
    depth: int
    forked: int = 0
    steps: int = 0
    done: bool = False
    same: int | None = None
    value: float | None = None
    visits: int = 0
    pruned: bool = False


class NoticeEvent(_Event):
    """Something the user should know that is not an error, on one line."""

    kind: Literal["notice"] = "notice"
    text: str


class ResultEvent(_Event):
    """The last event of every question."""

    kind: Literal["result"] = "result"
    result: Result


Event = Annotated[
    StartEvent
    | TextEvent
    | StepEvent
    | VerdictEvent
    | CandidateEvent
    | NodeEvent
    | NoticeEvent
    | ResultEvent,
    Field(discriminator="kind"),
]
OnEvent = Callable[[Event], None]
