"""The events of a question: live view, NDJSON, traces and tests read the same stream."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reasoner.types.result import Result
from reasoner.types.trajectory import FinishReason, Step
from reasoner.types.verdict import Verdict

__all__ = [
    "CandidateEvent",
    "Channel",
    "Event",
    "LiveView",
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
LiveView = Literal["reply", "reasoning", "nothing"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class StartEvent(_Event):
    """The first event of every question: the model, the effort and the strategy that answer it.

    `live` states what may be shown of the first trajectory while it is generated: the whole reply,
    the reasoning only (when the answer is chosen at the end), or nothing.
    """

    kind: Literal["start"] = "start"
    model: str
    effort: str
    strategy: str
    strategy_options: dict[str, JsonValue] = {}
    seed: int
    live: LiveView


class TextEvent(_Event):
    """A piece of text as it is generated; `path` is the number of its trajectory."""

    kind: Literal["text"] = "text"
    path: int = 0
    channel: Channel
    text: str


class StepEvent(_Event):
    """A trajectory (`path`) completed a step; `index` counts its steps from 0."""

    kind: Literal["step"] = "step"
    path: int = 0
    index: int
    step: Step


class VerdictEvent(_Event):
    """A verdict on the step with the index `step`, or on the whole trajectory when it is None."""

    kind: Literal["verdict"] = "verdict"
    path: int = 0
    step: int | None = None
    verdict: Verdict


class CandidateEvent(_Event):
    """A trajectory was finished; a search has several of these.

    `standing` is the score of its verdicts, `value` the score of the value model. Both lie in
    [0, 1] and are None where there was no verifier or no value model.
    """

    kind: Literal["candidate"] = "candidate"
    path: int
    final: str | None
    finish_reason: FinishReason
    tokens: int
    standing: float | None = None
    value: float | None = None


class NodeEvent(_Event):
    """A node of a search, emitted when it is created, scored, visited or pruned.

    A trajectory keeps its number while it does not fork, so `path` and `depth` together identify
    the node. `parent` is the number of the parent's trajectory, which had `forked` steps there. The
    node itself has `steps` steps, and its answer when `done`. `value` is its score in [0, 1].
    `same` is the number of the node that a pruned duplicate repeats. A pruned node whose number is
    used again at the same depth was sampled anew.
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
    """A one-line notice to the user that is not an error."""

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
