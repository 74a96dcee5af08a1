"""Settings: flags over `REASONER_*` environment variables over `config.toml` over defaults.

Validators here only look at values; they touch no file, no network and never exit.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from reasoner.directories import Directories, directories
from reasoner.errors import UsageError
from reasoner.setting_errors import (
    explain,
    explain_origins,
    explain_unparsed_variable,
    refuse_unusable_variables,
)
from reasoner.setting_origin import VARIABLE_PREFIX
from reasoner.types.lora_adapter import LoraAdapter
from reasoner.types.template_arguments import TemplateArguments, stated_thinking

__all__ = [
    "AUTO_STRATEGY",
    "NO_VALUE_MODEL",
    "Directories",
    "Effort",
    "EngineSettings",
    "Limits",
    "Settings",
    "directories",
    "explain",
]

Effort = Literal["low", "medium", "high", "max"]
EFFORT_BUDGET: dict[Effort, int] = {"low": 512, "medium": 2048, "high": 4096, "max": 16384}
AUTO_STRATEGY = "auto"
NO_VALUE_MODEL = "off"
"""The strategy's name as long as the effort is to choose it."""
DEFAULT_MODEL = "qwen2.5-coder-1.5b"


class EngineSettings(BaseModel):
    """How the model is held in memory and run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: Annotated[int, Field(ge=64)] | None = None
    """KV cache size in tokens, shared by all sequences; None: what the budget needs, at
    least 8192, of which a sequence may have as many as the model was trained on."""
    batch: Annotated[int, Field(ge=16, le=8192)] = 512
    sequences: Annotated[int, Field(ge=1, le=256)] = 64
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    gpu_layers: Annotated[int, Field(ge=0)] | Literal["auto", "all"] = "auto"
    main_gpu: Annotated[int, Field(ge=0)] = 0
    tensor_split: tuple[float, ...] = ()
    kv_type: Literal["f16", "q8_0", "q4_0"] = "f16"
    flash_attention: Literal["auto", "on", "off"] = "auto"
    lora: tuple[LoraAdapter, ...] = ()
    """LoRA adapters, applied together; `FILE` or `FILE:SCALE` each."""


StopTexts = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=16)
]
"""Texts before which an answer ends."""


class Limits(BaseModel):
    """How much one trajectory may reason; None means no such limit.

    `budget` is the maximum number of reasoning tokens (a soft stop follows, so that there is an
    answer), `max_tokens` that of the whole reply, `seconds` the wall-clock time of the question.
    The answer ends before the first of the texts in `stop`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_steps: Annotated[int, Field(ge=0, le=10_000)] = 0
    max_steps: Annotated[int, Field(ge=1, le=10_000)] | None = None
    budget: Annotated[int, Field(ge=0)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    stop: StopTexts = ()
    think: bool = True
    """False answers at once, without a reasoning phase."""
    decide: bool = False
    """At each step's end, take the likeliest of: go on, take the step back, end. Models with
    tokens for that decide by themselves."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_steps is not None and self.min_steps > self.max_steps:
            raise ValueError(f"min_steps {self.min_steps} is above max_steps {self.max_steps}")
        return self


class Settings(BaseSettings):
    """All settings of a run."""

    model_config = SettingsConfigDict(
        env_prefix=VARIABLE_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )

    model: str = DEFAULT_MODEL
    protocol: Literal["plain", "think", "steiner"] | None = None
    """None: the one that the registry names for the model, else the one that its vocabulary
    indicates."""
    value: str | None = None
    """The value model's name, or `self`: the policy judges its own steps. None: by a
    head of its own, which costs nothing, where the registry or `value_head` names one; `off`: not
    at all. Several, with commas between them, form an ensemble; `NAME@FORMAT` sets the format in
    which that one is prompted."""
    value_format: str | None = None
    """The format in which the value model is prompted; None: the registry's, else as a judge."""
    value_head: Path | None = None
    """A file with a value head, which computes scores from a model's outputs."""
    strategy: str = AUTO_STRATEGY
    """`auto`: the one that `effort` stands for with this model."""
    strategy_options: dict[str, Any] = {}
    """Options of the strategy (`-S key=value`; `reasoner strategies list` names them)."""
    search_budget: Annotated[int, Field(ge=1)] | None = None
    """Most tokens of all trajectories and the value model together; a soft stop comes before."""
    until_verified: bool = False
    """Check candidates by the known answer and the given tests during the search, and end it once
    they confirm one."""
    effort: Effort = "medium"
    min_steps: int = 0
    max_steps: int | None = None
    budget: int | None = None
    max_tokens: int | None = None
    seconds: float | None = None
    stop: StopTexts = ()
    """The answer ends before the first of these texts."""
    think: bool = True
    template_args: TemplateArguments = {}
    """Variables for the chat template by name (`--template-arg key=value`)."""
    chat_template: str | None = None
    """Jinja source, or the name of a built-in template; None: the registry's, else the model's."""
    decide: bool = False
    """Decide at each step's end whether to go on, to take it back or to end."""
    seed: Annotated[int, Field(ge=0, lt=2**32 - 1)] = 0
    temperature: float | None = None
    sampling: dict[str, Any] = {}
    """Sampling options by name (`-o key=value`); they override the model's own."""
    system: str | None = None
    verify: bool = True
    tools: Literal["off", "auto", "force"] = "off"
    """Whether the policy may call tools in mid-thought; `force` makes it begin with a call."""
    tool_style: Literal["fenced", "native"] | None = None
    """The format of tool calls; None: the one that its chat template supports."""
    unsafe_exec: bool = False
    """Run a model's code even where no sandbox is strong enough for it."""
    offline: bool = False
    history: bool = True
    """Whether questions and answers are recorded (`reasoner history`)."""
    cache: bool = True
    """Whether cached results, verdicts and prompts are used and stored (`reasoner cache`)."""
    cache_size: Annotated[int, Field(ge=0, le=10**6)] = 2000
    """Maximum size of the disk cache of prefilled prompts, in megabytes."""
    server: str | None = None
    """The address of a running `reasoner serve` that answers in place of a model loaded here."""
    api_key: SecretStr | None = None
    """The API key that is sent to a server; for `reasoner serve`, the key that it requires."""
    engine: EngineSettings = EngineSettings()

    @model_validator(mode="before")
    @classmethod
    def _think_as_template_is_told(cls, values: Any) -> Any:
        """Take `think` from the template's arguments where they switch it and it is not set."""
        arguments = values.get("template_args") if isinstance(values, dict) else None
        if isinstance(arguments, dict) and values.get("think") is None:
            think = stated_thinking(arguments)
            return values if think is None else {**values, "think": think}
        return values

    @field_validator("api_key")
    @classmethod
    def _without_empty_key(cls, key: SecretStr | None) -> SecretStr | None:
        return key if key is not None and key.get_secret_value().strip() else None

    @property
    def limits(self) -> Limits:
        """The limits these settings amount to; `effort` gives the budget unless one is set."""
        return Limits(
            min_steps=self.min_steps,
            max_steps=self.max_steps,
            budget=EFFORT_BUDGET[self.effort] if self.budget is None else self.budget,
            max_tokens=self.max_tokens,
            seconds=self.seconds,
            stop=self.stop,
            think=self.think,
            decide=self.decide,
        )

    @property
    def value_models(self) -> tuple[tuple[str, str | None], ...]:
        """The value models that `value` names, each with its format. Raises
        UsageError where one has no name."""
        if self.value is None or self.value == NO_VALUE_MODEL:
            return ()
        if os.path.isfile(os.path.expanduser(self.value)):  # a file may be called anything
            return ((self.value, self.value_format),)
        named = [_named(entry.strip()) for entry in self.value.split(",")]
        return tuple((name, form or self.value_format) for name, form in named)

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Read file and environment; `flags` that are not None win. Errors are UsageError."""
        flags = {key: value for key, value in flags.items() if value is not None}
        names = {*cls.model_fields, *(f"engine__{name}" for name in EngineSettings.model_fields)}
        refuse_unusable_variables(names)
        try:
            settings = cls(**flags)
            _ = settings.limits
            return settings
        except ValidationError as error:
            raise UsageError(f"bad setting: {explain_origins(error, flags, names)}") from error
        except SettingsError as error:
            reason = explain_unparsed_variable(error, names)
            raise UsageError(f"bad setting: {reason}") from error
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"cannot read {directories().config_file}: {error}") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Drop the sources nobody expects of a command-line tool (.env, secret files)."""
        toml = TomlConfigSettingsSource(settings_cls, directories().config_file)
        return init_settings, env_settings, toml


def _named(entry: str) -> tuple[str, str | None]:
    """The name and the format in `NAME@FORMAT`; an address or a path may hold an @ of its own."""
    name, at, form = entry.rpartition("@")
    if not at or "/" in form or form.lower().endswith(".gguf"):
        name, form = entry, ""
    if not name:
        raise UsageError("--value: a model has no name; write NAME or NAME@FORMAT, commas between")
    return name, form or None
