"""What a client asks: OpenAI's request, read strictly where ignoring it would mislead.

Fields that change nothing here (`user`, `metadata`, `store` …) are passed over; those that ask for
what there is none of (several choices, function calls, stop strings, images) are refused.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from reasoner.effort import planned
from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError
from reasoner.problem import Message, Problem
from reasoner.settings import Settings
from reasoner.strategies.registry import find_strategy

__all__ = ["EXTRA_FIELDS", "ChatRequest"]

EXTRA_FIELDS = (
    "effort",
    "strategy",
    "strategy_options",
    "search_budget",
    "until_verified",
    "min_steps",
    "max_steps",
    "budget",
    "max_tokens",
    "seconds",
    "think",
    "decide",
    "seed",
    "temperature",
    "sampling",
    "verify",
    "tools",
    "cache",
)
"""The settings a client may choose; what is loaded, and what is safe, is the server's to say."""
EFFORTS: dict[str, dict[str, Any]] = {
    "none": {"think": False},
    "minimal": {"effort": "low"},
    "low": {"effort": "low"},
    "medium": {"effort": "medium"},
    "high": {"effort": "high"},
    "xhigh": {"effort": "max"},
    "max": {"effort": "max"},
}
"""OpenAI's `reasoning_effort` in our words."""
MOST_MESSAGES = 2000


class _Part(BaseModel):
    type: Literal["text"]
    text: str


class _Turn(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        content = self.content or ""
        return content if isinstance(content, str) else "".join(part.text for part in content)


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _ExtraBase(BaseModel):
    """`expect`, `tests` and `entry_point` are the problem's; with `events` a stream carries our own
    events in place of OpenAI's chunks."""

    model_config = ConfigDict(extra="forbid")

    expect: str | None = None
    tests: str | None = None
    entry_point: str | None = None
    events: bool = False


_fields: Any = {
    name: (field.annotation, field)
    for name, field in Settings.model_fields.items()
    if name in EXTRA_FIELDS
}
Extra = create_model("Extra", __base__=_ExtraBase, **_fields)


class ChatRequest(BaseModel):
    """`POST /v1/chat/completions`; `reasoner` holds what OpenAI has no field for."""

    model_config = ConfigDict(extra="ignore")

    model: str = "default"
    messages: Annotated[list[_Turn], Field(min_length=1, max_length=MOST_MESSAGES)]
    stream: bool = False
    stream_options: _StreamOptions | None = None
    n: Literal[1] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    stop: Any = None
    tools: Any = None
    functions: Any = None
    logprobs: Any = None
    response_format: Any = None
    reasoner: Any = None

    @field_validator("stop", "tools", "functions", "logprobs")
    @classmethod
    def _absent(cls, value: Any) -> Any:
        if value:
            raise ValueError("is not supported by this server; leave it out")
        return value

    @field_validator("response_format")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if value is not None and (not isinstance(value, dict) or value.get("type") != "text"):
            raise ValueError("only the type 'text' is supported by this server")
        return value

    @field_validator("reasoner")
    @classmethod
    def _known(cls, value: Any) -> Any:
        return Extra.model_validate(value or {})

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.messages[-1].role != "user" or not self.messages[-1].text.strip():
            raise ValueError("messages: the last one must be the user's, with text")
        if self.reasoner is None:
            self.reasoner = Extra()
        return self

    def problem(self, system: str | None) -> Problem:
        """System messages together are the system prompt, else the server's own; what the user
        said last is asked."""
        heads = [turn.text for turn in self.messages if turn.role in ("system", "developer")]
        turns = [turn for turn in self.messages if turn.role in ("user", "assistant")]
        return Problem(
            question=turns[-1].text,
            system="\n\n".join(heads) if heads else system,
            history=tuple(
                Message(role="user" if turn.role == "user" else "assistant", content=turn.text)
                for turn in turns[:-1]
            ),
            expect=self.reasoner.expect,
            tests=self.reasoner.tests,
            entry_point=self.reasoner.entry_point,
        )

    def settings(self, base: Settings) -> Settings:
        """The server's settings with what this request says; a time limit can only be shortened.

        Raises UsageError.
        """
        given = {name: getattr(base, name) for name in base.model_fields_set}
        given |= EFFORTS.get(self.reasoning_effort or "", {})
        given |= {name: value for name, value in self._plain() if value is not None}
        extra = {n: getattr(self.reasoner, n) for n in self.reasoner.model_fields_set}
        given |= {name: value for name, value in extra.items() if name in EXTRA_FIELDS}
        given["sampling"] = {**base.sampling, **self._sampling(), **extra.get("sampling", {})}
        if "grammar" in given["sampling"] and "grammar" not in base.sampling:
            raise UsageError("sampling: a grammar cannot be given over the network")
        if base.seconds is not None:
            given["seconds"] = min(given.get("seconds") or base.seconds, base.seconds)
        chosen = Settings.load(**given)
        Sampling.parse(chosen.sampling)
        plan = planned(chosen)
        find_strategy(plan.strategy).parse(plan.strategy_options)
        return chosen

    def _plain(self) -> list[tuple[str, Any]]:
        most = self.max_completion_tokens or self.max_tokens
        return [("max_tokens", most), ("temperature", self.temperature), ("seed", self.seed)]

    def _sampling(self) -> dict[str, Any]:
        names = ("top_p", "frequency_penalty", "presence_penalty")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
