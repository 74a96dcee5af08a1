"""The models that are on this machine: found, listed, removed. Never touches the network."""

import shutil
from pathlib import Path

from reasoner.errors import DownloadError, ModelError, UsageError
from reasoner.models.cache import cached_files, hub_cached, own_files, own_path, partials
from reasoner.models.catalog import registry
from reasoner.models.checksum import stamp_path
from reasoner.models.name import HubName, hub_spec, parse_name, pick_file
from reasoner.models.space import writing
from reasoner.models.spec import ModelFile, ModelSpec
from reasoner.settings import directories

__all__ = ["cached_spec", "find_model", "find_models", "locate", "remove_model", "sweep"]


def find_model(name: str) -> ModelFile | None:
    """The model `name` stands for if it is here, without a look inside; None if it is not."""
    wanted = parse_name(name)
    if isinstance(wanted, Path):
        return ModelFile(name=name, path=wanted)
    try:
        spec, listed = cached_spec(wanted) if isinstance(wanted, HubName) else (wanted, True)
    except DownloadError:
        return None
    path = locate(spec)
    return ModelFile(name=name, path=path, spec=spec if listed else None) if path else None


def find_models() -> list[ModelFile]:
    """Every model that is here: those of the registry first, then the others we fetched."""
    found = []
    for alias, spec in registry().items():
        if path := locate(spec):
            found.append(ModelFile(name=alias, path=path, spec=spec))
    known = {model.path for model in found}
    for path in own_files():
        if path not in known:
            folder, *rest = path.relative_to(directories().models).parts
            name = f"{folder.replace('--', '/', 1)}:{'/'.join(rest)}"
            found.append(ModelFile(name=name, path=path))
    return found


def locate(spec: ModelSpec) -> Path | None:
    """Where the file of this entry is: the user's own place, ours, or the Hugging Face cache."""
    if spec.path is not None:
        return spec.path if spec.path.is_file() else None
    return own_path(spec) if own_path(spec).is_file() else hub_cached(spec)


def cached_spec(wanted: HubName) -> tuple[ModelSpec, bool]:
    """The file of a repository that is here, as a spec, and whether the registry lists it.

    Raises DownloadError when none fits.
    """
    files = cached_files(wanted.repo)
    return hub_spec(wanted.repo, pick_file(wanted.repo, files, wanted.wanted))


def remove_model(name: str) -> list[Path]:
    """Delete what we fetched for this model, unfinished downloads included; return what went.

    A file that the user or another tool put there is never touched: that is a UsageError.
    """
    wanted = parse_name(name)
    if isinstance(wanted, Path):
        raise UsageError(f"{wanted} is your own file; reasoner only removes what it fetched")
    try:
        spec = wanted if isinstance(wanted, ModelSpec) else cached_spec(wanted)[0]
    except DownloadError as error:
        raise ModelError(f"{name} is not on this machine") from error
    if spec.path is not None:
        raise UsageError(
            f"{spec.path} is your own file or came with the program; reasoner only removes what it "
            "fetched"
        )
    own = own_path(spec)
    gone = [path for path in (own, *partials(spec)) if path.exists()]
    if not gone and (shared := hub_cached(spec)):
        raise UsageError(f"{shared} belongs to the Hugging Face cache; `hf cache rm` removes it")
    if not gone:
        raise ModelError(f"{name} is not on this machine")
    _delete(spec, own)
    return gone


def sweep(spec: ModelSpec) -> None:
    """Remove what unfinished downloads of this file left."""
    for leftover in partials(spec):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _delete(spec: ModelSpec, own: Path) -> None:
    with writing(directories().models):
        stamp_path(own).unlink(missing_ok=True)
        own.unlink(missing_ok=True)
        sweep(spec)
        if own.parent.is_dir() and not any(own.parent.iterdir()):
            own.parent.rmdir()
