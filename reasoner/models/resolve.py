"""What a model's name stands for: a file on this machine, or a model that a server has loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from reasoner.errors import ModelError
from reasoner.models.fetch import ensure_model
from reasoner.models.progress import DownloadObserver
from reasoner.models.served import find_served_model
from reasoner.models.spec import ModelSpec, printable

__all__ = ["ResolvedModel", "resolve_model"]


class ResolvedModel(BaseModel):
    """A model's name, resolved.

    Exactly one of `path` (a GGUF file) and `address` (the base URL of a completions API) is set.
    `served_name` is the model's name on the server, None for the server's only model. `spec` is
    the registry entry that describes the model, None when there is none.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, AfterValidator(printable)]
    spec: ModelSpec | None = None
    path: Path | None = None
    address: str | None = None
    served_name: str | None = None

    @property
    def file(self) -> Path:
        """The GGUF file. Raises ModelError when the model is on a server."""
        if self.path is None:
            raise ModelError(f"{self.name} is on a server; name a model on this machine")
        return self.path

    @property
    def is_local(self) -> bool:
        """Whether the model is a file on this machine."""
        return self.path is not None


def resolve_model(
    name: str,
    *,
    offline: bool,
    on_notice: Callable[[str], None],
    on_progress: DownloadObserver | None = None,
) -> ResolvedModel:
    """Resolve a model's name; a file that is not on this machine yet is fetched.

    Raises what `ensure_model` does: UnknownName, DownloadError, ChecksumError, BadModelFile.
    """
    served = find_served_model(name)
    if served is not None:
        return ResolvedModel(
            name=served.name, spec=served.spec, address=served.address, served_name=served.model
        )
    file = ensure_model(name, offline=offline, on_notice=on_notice, on_progress=on_progress)
    return ResolvedModel(name=file.name, spec=file.spec, path=file.path)
