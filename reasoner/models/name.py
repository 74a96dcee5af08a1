"""What `-m` accepts: an alias, a path to a GGUF, or `owner/repo[:quant or file]` on the Hub."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from reasoner.errors import DownloadError, UnknownName, UsageError
from reasoner.models.catalog import registry
from reasoner.models.spec import ModelSpec, is_inside

__all__ = ["HubName", "hub_spec", "parse_name", "pick_file"]

HUB = re.compile(r"([\w.-]+/[\w.-]+?)(?::(.+))?")
SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
NO_MODEL = re.compile(r"(?:^|[/._-])(?:mmproj|imatrix)(?:[._-]|$)", re.IGNORECASE)
PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q8_0")


@dataclass(frozen=True)
class HubName:
    """A repository on the Hub and which of its files; `wanted` is a quant, a file or None."""

    repo: str
    wanted: str | None = None


def parse_name(name: str) -> Path | ModelSpec | HubName:
    """Tell the kinds of name apart. Raises UnknownName (with the nearest aliases) or UsageError."""
    known = registry()
    if spec := known.get(name) or known.get(name.lower()):
        return spec
    place = os.path.expanduser(name)  # unlike Path.is_file, these bear any string
    if os.path.isfile(place):
        return Path(place)
    if os.path.isdir(place) and not HUB.fullmatch(name):
        raise UsageError(f"{name} is a directory; name a .gguf file in it")
    match = HUB.fullmatch(name)
    if match and (match[2] or not name.lower().endswith(".gguf")) and not name.startswith("."):
        return HubName(match[1], match[2])
    if name.lower().endswith(".gguf"):
        raise UsageError(f"no such file: {name}")
    raise UnknownName("model", name[:80], known, "(`reasoner models list` shows them all)")


def hub_spec(repo: str, file: str) -> tuple[ModelSpec, bool]:
    """The registry's entry for this file, else a bare one; and whether the registry had it."""
    for spec in registry().values():
        if (spec.repo, spec.file) == (repo, file):
            return spec, True
    return ModelSpec(alias=f"{repo}:{file}", repo=repo, file=file), False


def pick_file(repo: str, files: list[str], wanted: str | None, *, strict: bool = False) -> str:
    """Choose among a repository's files by quant or file name, both in any case.

    Without a wish the first of PREFERRED is taken, else the only file there is; `strict` accepts
    only the very first preference. Raises DownloadError when nothing or too much fits.
    """
    models = [file for file in files if _is_model(file)]
    if not models:
        raise DownloadError(f"{repo} holds no GGUF models; try its -GGUF sibling")
    for wish in (wanted,) if wanted else PREFERRED[: 1 if strict else None]:
        if found := [file for file in models if _fits(file, wish)]:
            return _single_file(repo, found)
    if wanted is None and len(models) == 1 and not strict:
        return _single_file(repo, models)
    problem = f"nothing called '{wanted}'" if wanted else "several models"
    raise DownloadError(f"{repo} has {problem}; name one as {repo}:NAME: {_listing(models)}")


def _is_model(file: str) -> bool:
    return file.lower().endswith(".gguf") and not NO_MODEL.search(file) and is_inside(file)


def _fits(file: str, wish: str) -> bool:
    """Whether `wish` is the file, its base name, or a whole word (the quant) of its name."""
    base = file.rsplit("/", 1)[-1]
    if wish.lower() in {file.lower(), base.lower()}:
        return True
    stem = SHARD.sub("", base).removesuffix(".gguf")
    return bool(re.search(rf"(?:^|[._-]){re.escape(wish)}(?:[.-]|$)", stem, re.IGNORECASE))


def _single_file(repo: str, found: list[str]) -> str:
    whole = [file for file in found if not SHARD.search(file)]
    if not whole:
        raise DownloadError(
            f"{found[0]} in {repo} is one of {len(found)} shards, which cannot be loaded from "
            "here; pick a quant that is a single file"
        )
    return min(whole, key=lambda file: (len(file), file))


def _listing(models: list[str]) -> str:
    shown = [file.rsplit("/", 1)[-1] for file in models[:12]]
    return ", ".join(shown) + (f" and {len(models) - 12} more" if len(models) > 12 else "")
