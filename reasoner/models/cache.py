"""Where model files lie on this machine: our own directory, and the Hugging Face cache beside it.

Below `directories().models` each file has the path `owner--repo/file`; `.partial`, `.locks` and
`.verified` hold what downloads and checksums need.
"""

import hashlib
import os
from pathlib import Path

from reasoner.models.spec import ModelSpec
from reasoner.settings import directories

__all__ = [
    "cached_files",
    "hub_cached",
    "lock_path",
    "own_files",
    "own_path",
    "partial_path",
    "partials",
]


def own_path(spec: ModelSpec) -> Path:
    """Where the file lands when we fetch it."""
    folder = spec.repo.replace("/", "--") if spec.repo else spec.alias.replace("/", "--")
    return directories().models / folder / (spec.file or "")


def own_files() -> list[Path]:
    """Every model file we fetched."""
    return sorted(
        file
        for file in directories().models.glob("[!.]*/**/*")
        if file.suffix.lower() == ".gguf" and file.is_file()
    )


def partial_path(spec: ModelSpec, source: str) -> Path:
    """Where an unfinished download of this file from this source is kept."""
    return directories().models / ".partial" / f"{_key(spec)}.{source}"


def partials(spec: ModelSpec) -> list[Path]:
    """Everything unfinished downloads of this file left behind."""
    return sorted((directories().models / ".partial").glob(f"{_key(spec)}.*"))


def lock_path(spec: ModelSpec) -> Path:
    return directories().models / ".locks" / f"{_key(spec)}.lock"


def hub_cached(spec: ModelSpec) -> Path | None:
    """The file in the user's Hugging Face cache, if some other tool has put it there."""
    if (
        spec.repo is None
        or spec.file is None
        or not (_hub_cache() / _hub_folder(spec.repo)).is_dir()
    ):
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        spec.repo, spec.file, cache_dir=_hub_cache(), revision=spec.revision
    )
    return Path(found) if isinstance(found, str) else None


def cached_files(repo: str) -> list[str]:
    """The names of this repository's files that are here, in either place."""
    own = directories().models / repo.replace("/", "--")
    snapshots = _hub_cache() / _hub_folder(repo)
    main = snapshots / "refs" / "main"
    commit = main.read_bytes().strip() if main.is_file() else b""
    roots = [own, *([snapshots / "snapshots" / commit.decode()] if commit.isalnum() else [])]
    files = {file.relative_to(root).as_posix() for root in roots for file in root.rglob("*.gguf")}
    return sorted(files)


def _key(spec: ModelSpec) -> str:
    path = own_path(spec)
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return f"{path.stem[:60]}-{digest}"


def _hub_cache() -> Path:
    """The Hugging Face cache by its own rules, without importing its library."""
    if found := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(found).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or os.path.join(base, "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "hub"


def _hub_folder(repo: str) -> str:
    return "models--" + repo.replace("/", "--")
