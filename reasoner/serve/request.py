"""Requests in OpenAI's format, validated strictly where ignoring a field would mislead.

Fields without an effect here (`user`, `metadata`, `store` …) are ignored; those for features that
do not exist (several choices, function calls, images) are refused.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from reasoner.effort import resolve_effort
from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError
from reasoner.search.strategies.registry import find_strategy
from reasoner.settings import Settings
from reasoner.solver.wire import CLIENT_SETTINGS
from reasoner.types.problem import Message, Problem, TextContent
from reasoner.types.template_arguments import TemplateArguments, stated_thinking

__all__ = ["ChatRequest"]

EFFORT_SETTINGS: dict[str, dict[str, Any]] = {
    "none": {"think": False},
    "minimal": {"effort": "low"},
    "low": {"effort": "low"},
    "medium": {"effort": "medium"},
    "high": {"effort": "high"},
    "xhigh": {"effort": "max"},
    "max": {"effort": "max"},
}
"""The settings that each value of OpenAI's `reasoning_effort` stands for."""
MAX_MESSAGES = 2000


class _ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: TextContent | None = None

    @property
    def text(self) -> str:
        """The text of the message, empty where it has none."""
        return self.content or ""


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _ExtraFields(BaseModel):
    """The fields of `reasoner` that are not settings. `expect`, `tests` and `entry_point` belong to
    the problem; with `events` a stream has this program's events in place of OpenAI's chunks."""

    model_config = ConfigDict(extra="forbid")

    expect: str | None = None
    tests: str | None = None
    entry_point: str | None = None
    events: bool = False


_setting_fields: Any = {
    name: (field.annotation, field)
    for name, field in Settings.model_fields.items()
    if name in CLIENT_SETTINGS
}
ReasonerFields = create_model("Extra", __base__=_ExtraFields, **_setting_fields)


class ChatRequest(BaseModel):
    """The body of `POST /v1/chat/completions`; `reasoner` has the fields that OpenAI lacks."""

    model_config = ConfigDict(extra="ignore")

    model: str = "default"
    messages: Annotated[list[_ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
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
    chat_template_kwargs: TemplateArguments | None = None
    stop: str | list[str] | None = None
    tools: Any = None
    functions: Any = None
    logprobs: Any = None
    response_format: Any = None
    reasoner: Any = None

    @field_validator("tools", "functions", "logprobs")
    @classmethod
    def _refuse_unsupported(cls, value: Any) -> Any:
        if value:
            raise ValueError("is not supported by this server; leave it out")
        return value

    @field_validator("response_format")
    @classmethod
    def _check_response_format(cls, value: Any) -> Any:
        if value is not None and (not isinstance(value, dict) or value.get("type") != "text"):
            raise ValueError("only the type 'text' is supported by this server")
        return value

    @field_validator("reasoner")
    @classmethod
    def _parse_extra(cls, value: Any) -> Any:
        return ReasonerFields.model_validate(value or {})

    @model_validator(mode="after")
    def _check_last_message(self) -> Self:
        if self.messages[-1].role != "user" or not self.messages[-1].text.strip():
            raise ValueError("messages: the last one must be the user's, with text")
        if self.reasoner is None:
            self.reasoner = ReasonerFields()
        return self

    def problem(self, system: str | None) -> Problem:
        """The problem of the request: its last message is the question and the earlier ones are the
        history. The system messages at the beginning, joined, are the system prompt, `system`
        without any; a later one stays in its place."""
        roles = ["system" if m.role == "developer" else m.role for m in self.messages]
        first = next(index for index, role in enumerate(roles) if role != "system")
        prompts = [message.text for message in self.messages[:first]]
        history = list(zip(roles, self.messages, strict=True))[first:-1]
        return Problem(
            question=self.messages[-1].text,
            system="\n\n".join(prompts) if prompts else system,
            history=tuple(Message(role=role, content=turn.text) for role, turn in history),
            expect=self.reasoner.expect,
            tests=self.reasoner.tests,
            entry_point=self.reasoner.entry_point,
        )

    def settings(self, base: Settings) -> Settings:
        """The server's settings with those of this request; a time limit can only be shortened.

        Raises UsageError for settings, sampling or strategy options that are not valid.
        """
        values = {name: getattr(base, name) for name in base.model_fields_set}
        values |= self._template_settings(base)
        values |= EFFORT_SETTINGS.get(self.reasoning_effort or "", {})
        values |= {name: value for name, value in self._direct_settings() if value is not None}
        chosen = self.reasoner.model_fields_set - {"template_args"}
        extra = {name: getattr(self.reasoner, name) for name in chosen}
        values |= {name: value for name, value in extra.items() if name in CLIENT_SETTINGS}
        values["sampling"] = {**base.sampling, **self._sampling(), **extra.get("sampling", {})}
        if "grammar" in values["sampling"] and "grammar" not in base.sampling:
            raise UsageError("sampling: a grammar cannot be given over the network")
        if base.seconds is not None:
            values["seconds"] = min(values.get("seconds") or base.seconds, base.seconds)
        settings = Settings.load(**values)
        Sampling.parse(settings.sampling)
        plan = resolve_effort(settings)
        find_strategy(plan.strategy).parse_options(plan.strategy_options)
        return settings

    def _template_settings(self, base: Settings) -> dict[str, Any]:
        """The template's arguments, and whether they turn thinking on or off."""
        own = {**(self.chat_template_kwargs or {}), **self.reasoner.template_args}
        think = stated_thinking(own)
        merged = {"template_args": {**base.template_args, **own}} if own else {}
        return merged if think is None else {**merged, "think": think}

    def _direct_settings(self) -> list[tuple[str, Any]]:
        max_tokens = self.max_completion_tokens or self.max_tokens
        stop = (self.stop,) if isinstance(self.stop, str) else self.stop
        return [
            ("max_tokens", max_tokens),
            ("temperature", self.temperature),
            ("seed", self.seed),
            ("stop", stop),
        ]

    def _sampling(self) -> dict[str, Any]:
        names = ("top_p", "frequency_penalty", "presence_penalty")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
