"""The models that are on this machine: looked up, listed, removed. Never uses the network."""

import shutil
from pathlib import Path

from reasoner.errors import DownloadError, ModelError, UsageError
from reasoner.models.cache import (
    download_path,
    downloaded_files,
    find_in_hub_cache,
    list_cached_files,
    partial_paths,
)
from reasoner.models.checksum import stamp_path
from reasoner.models.name import HubName, choose_hub_file, parse_model_name, spec_of_hub_file
from reasoner.models.registry import load_registry
from reasoner.models.shards import first_part, missing_parts, part_names
from reasoner.models.space import write_errors
from reasoner.models.spec import ModelFile, ModelSpec
from reasoner.settings import directories

__all__ = [
    "delete_partials",
    "find_model",
    "find_models",
    "locate_file",
    "remove_model",
    "resolve_cached",
]


def find_model(name: str) -> ModelFile | None:
    """The model called `name` if its file is on this machine, else None; the file is not opened.

    Raises UnknownName or UsageError for a name that cannot be a model's.
    """
    target = parse_model_name(name)
    if isinstance(target, Path):
        return ModelFile(name=name, path=first_part(target))
    try:
        spec, is_listed = resolve_cached(target) if isinstance(target, HubName) else (target, True)
    except DownloadError:
        return None
    path = locate_file(spec)
    return ModelFile(name=name, path=path, spec=spec if is_listed else None) if path else None


def find_models() -> list[ModelFile]:
    """Every model on this machine: those of the registry first, then the other downloads. A split
    model is listed once, by its first part. Raises UsageError for a malformed registry."""
    models = []
    for alias, spec in load_registry().items():
        if path := locate_file(spec):
            models.append(ModelFile(name=alias, path=path, spec=spec))
    listed_paths = {model.path for model in models}
    for path in downloaded_files():
        if path in listed_paths or path.name != part_names(path.name)[0] or missing_parts(path):
            continue
        folder, *rest = path.relative_to(directories().models).parts
        name = f"{folder.replace('--', '/', 1)}:{'/'.join(rest)}"
        models.append(ModelFile(name=name, path=path))
    return models


def locate_file(spec: ModelSpec) -> Path | None:
    """The path of the entry's file: as the entry gives it, in the program's own directory, or in
    the Hugging Face cache; of a split model, the first part's. None when it is in none of them, or
    when a part is missing."""
    if spec.path is not None:
        return first_part(spec.path) if spec.path.is_file() else None
    own = download_path(spec)
    path = own if own.is_file() else find_in_hub_cache(spec)
    return path if path and not missing_parts(path) else None


def resolve_cached(name: HubName) -> tuple[ModelSpec, bool]:
    """The cached file of a repository as a spec, and whether the registry lists it.

    Raises DownloadError when no cached file fits.
    """
    files = list_cached_files(name.repo)
    return spec_of_hub_file(name.repo, choose_hub_file(name.repo, files, name.selector))


def remove_model(name: str) -> list[Path]:
    """Delete what was downloaded for this model, unfinished downloads included, and return the
    deleted paths.

    Raises UsageError for a file that the user or another tool put there, which is never touched,
    and ModelError when the model is not on this machine or cannot be deleted.
    """
    spec = _removable_spec(name)
    parts = [spec.model_copy(update={"file": name}) for name in part_names(spec.file or "")]
    paths = [path for part in parts for path in (download_path(part), *partial_paths(part))]
    existing = [path for path in paths if path.exists()]
    if not existing and (shared := find_in_hub_cache(spec)):
        raise UsageError(f"{shared} belongs to the Hugging Face cache; `hf cache rm` removes it")
    if not existing:
        raise ModelError(f"{name} is not on this machine")
    for part in parts:
        _delete(part, download_path(part))
    return existing


def _removable_spec(name: str) -> ModelSpec:
    target = parse_model_name(name)
    if isinstance(target, Path):
        raise UsageError(f"{target} is your own file; reasoner only removes what it fetched")
    try:
        spec = target if isinstance(target, ModelSpec) else resolve_cached(target)[0]
    except DownloadError as error:
        raise ModelError(f"{name} is not on this machine") from error
    if spec.path is not None:
        raise UsageError(
            f"{spec.path} is your own file or came with the program; reasoner only removes what it "
            "fetched"
        )
    return spec


def delete_partials(spec: ModelSpec) -> None:
    """Delete what unfinished downloads of this file have left."""
    for leftover in partial_paths(spec):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _delete(spec: ModelSpec, own: Path) -> None:
    with write_errors(directories().models):
        stamp_path(own).unlink(missing_ok=True)
        own.unlink(missing_ok=True)
        delete_partials(spec)
        if own.parent.is_dir() and not any(own.parent.iterdir()):
            own.parent.rmdir()
