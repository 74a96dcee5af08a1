"""What `-m` accepts: an alias, a path to a GGUF, or `owner/repo[:quant or file]` on the Hub."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from reasoner.errors import DownloadError, UnknownName, UsageError
from reasoner.models.registry import load_registry
from reasoner.models.shards import part_names
from reasoner.models.spec import ModelSpec, is_plain_relative_path

__all__ = ["HubName", "choose_hub_file", "parse_model_name", "require_parts", "spec_of_hub_file"]

HUB_NAME = re.compile(r"([\w.-]+/[\w.-]+?)(?::(.+))?")
PART_SUFFIX = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
AUXILIARY_FILE = re.compile(r"(?:^|[/._-])(?:mmproj|imatrix)(?:[._-]|$)", re.IGNORECASE)
"""GGUF files beside a model that are none themselves: image projectors, importance matrices."""
PREFERRED_QUANTS = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q8_0")
MAX_LISTED_FILES = 12


@dataclass(frozen=True)
class HubName:
    """A repository on the Hub and one of its files; `selector` is a quant, a file's name or
    None."""

    repo: str
    selector: str | None = None


def parse_model_name(name: str) -> Path | ModelSpec | HubName:
    """Decide what a model's name refers to: an entry of the registry, an existing file, or a
    repository on the Hub, in this order.

    Raises UnknownName (with the nearest aliases), or UsageError for a directory, for a `.gguf` path
    that does not exist and for a malformed registry.
    """
    models = load_registry()
    if spec := models.get(name) or models.get(name.lower()):
        return spec
    path = os.path.expanduser(name)  # os.path accepts any string, Path.is_file does not
    if os.path.isfile(path):
        return Path(path)
    if os.path.isdir(path) and not HUB_NAME.fullmatch(name):
        raise UsageError(f"{name} is a directory; name a .gguf file in it")
    match = HUB_NAME.fullmatch(name)
    if match and (match[2] or not name.lower().endswith(".gguf")) and not name.startswith("."):
        return HubName(match[1], match[2])
    if name.lower().endswith(".gguf"):
        raise UsageError(f"no such file: {name}")
    raise UnknownName("model", name[:80], models, "(`reasoner models list` shows them all)")


def spec_of_hub_file(repo: str, file: str) -> tuple[ModelSpec, bool]:
    """The registry's entry for this file, else one with nothing but its place; and whether the
    registry lists it."""
    for spec in load_registry().values():
        if (spec.repo, spec.file) == (repo, file):
            return spec, True
    return ModelSpec(alias=f"{repo}:{file}", repo=repo, file=file), False


def choose_hub_file(
    repo: str, files: list[str], selector: str | None, *, strict: bool = False
) -> str:
    """Choose one of a repository's models by quant or file name, in any case; a split model is
    returned as its first part.

    With `selector` None the first of PREFERRED_QUANTS is taken, else the only model; `strict`
    accepts only the first preference. Raises DownloadError when no model fits or several do.
    """
    models = [file for file in files if _is_model(file)]
    if not models:
        raise DownloadError(f"{repo} holds no GGUF models; try its -GGUF sibling")
    for label in (selector,) if selector else PREFERRED_QUANTS[: 1 if strict else None]:
        if matches := [file for file in models if _matches(file, label)]:
            return _single_model(matches)
    if selector is None and len({*map(_first_name, models)}) == 1 and not strict:
        return _single_model(models)
    auxiliary = [file for file in files if AUXILIARY_FILE.search(file)]
    if selector and any(_matches(file, selector) for file in auxiliary):
        raise DownloadError(
            f"'{selector}' in {repo} is an image projector or an importance matrix, not a model; "
            f"name one as {repo}:NAME: {_listing(models)}"
        )
    problem = f"nothing called '{selector}'" if selector else "several models"
    raise DownloadError(f"{repo} has {problem}; name one as {repo}:NAME: {_listing(models)}")


def require_parts(repo: str, file: str, files: list[str]) -> str:
    """Return `file` if all parts of its model are among `files`. Raises DownloadError otherwise."""
    if lacking := [name for name in part_names(file) if name not in files]:
        raise DownloadError(f"{repo} has {file} only in part, {lacking[0]} is missing")
    return file


def _is_model(file: str) -> bool:
    return (
        file.lower().endswith(".gguf")
        and not AUXILIARY_FILE.search(file)
        and is_plain_relative_path(file)
    )


def _matches(file: str, label: str) -> bool:
    """Whether `label` is the file, its base name, or a whole word (the quant) of its name."""
    base = file.rsplit("/", 1)[-1]
    if label.lower() in {file.lower(), base.lower()}:
        return True
    stem = PART_SUFFIX.sub("", base).removesuffix(".gguf")
    return bool(re.search(rf"(?:^|[._-]){re.escape(label)}(?:[.-]|$)", stem, re.IGNORECASE))


def _single_model(matches: list[str]) -> str:
    """The first part of the model with the shortest name, whole files before split ones."""
    models = {_first_name(file) for file in matches}
    return min(models, key=lambda file: (len(part_names(file)), len(file), file))


def _first_name(file: str) -> str:
    return part_names(file)[0]


def _listing(models: list[str]) -> str:
    whole = list(dict.fromkeys(map(_first_name, models)))
    names = [file.rsplit("/", 1)[-1] for file in whole[:MAX_LISTED_FILES]]
    omitted = len(whole) - MAX_LISTED_FILES
    return ", ".join(names) + (f" and {omitted} more" if omitted > 0 else "")
