"""Where model files are kept: the program's own directory, and the Hugging Face cache.

Below `directories().models` each file has the path `owner--repo/file`; the folders `.partial`,
`.locks` and `.verified` hold unfinished downloads, locks and remembered checksums.
"""

import hashlib
import os
from pathlib import Path

from reasoner.models.spec import ModelSpec
from reasoner.settings import directories

__all__ = [
    "download_path",
    "downloaded_files",
    "find_in_hub_cache",
    "list_cached_files",
    "lock_path",
    "partial_path",
    "partial_paths",
]


def download_path(spec: ModelSpec) -> Path:
    """Where a download of this model's file is stored."""
    folder = spec.repo.replace("/", "--") if spec.repo else spec.alias.replace("/", "--")
    return directories().models / folder / (spec.file or "")


def downloaded_files() -> list[Path]:
    """Every model file that the program has downloaded."""
    return sorted(
        file
        for file in directories().models.glob("[!.]*/**/*")
        if file.suffix.lower() == ".gguf" and file.is_file()
    )


def partial_path(spec: ModelSpec, source: str) -> Path:
    """Where an unfinished download of this file is kept; `source` is the key of its source."""
    return directories().models / ".partial" / f"{_key(spec)}.{source}"


def partial_paths(spec: ModelSpec) -> list[Path]:
    """Everything that unfinished downloads of this file have left, from all sources."""
    return sorted((directories().models / ".partial").glob(f"{_key(spec)}.*"))


def lock_path(spec: ModelSpec) -> Path:
    """The lock file that a process holds while it downloads this file."""
    return directories().models / ".locks" / f"{_key(spec)}.lock"


def find_in_hub_cache(spec: ModelSpec) -> Path | None:
    """The file in the user's Hugging Face cache, where another tool may have put it, or None."""
    if (
        spec.repo is None
        or spec.file is None
        or not (_hub_cache() / _hub_folder(spec.repo)).is_dir()
    ):
        return None
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(
        spec.repo, spec.file, cache_dir=_hub_cache(), revision=spec.revision
    )
    return Path(path) if isinstance(path, str) else None


def list_cached_files(repo: str) -> list[str]:
    """The names of the repository's files that are on this machine, in either place."""
    own = directories().models / repo.replace("/", "--")
    hub_folder = _hub_cache() / _hub_folder(repo)
    main = hub_folder / "refs" / "main"
    commit = main.read_bytes().strip() if main.is_file() else b""
    roots = [own, *([hub_folder / "snapshots" / commit.decode()] if commit.isalnum() else [])]
    files = {file.relative_to(root).as_posix() for root in roots for file in root.rglob("*.gguf")}
    return sorted(files)


def _key(spec: ModelSpec) -> str:
    path = download_path(spec)
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return f"{path.stem[:60]}-{digest}"


def _hub_cache() -> Path:
    """The Hugging Face cache by its documented rules, without importing its slow library."""
    if folder := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(folder).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or os.path.join(base, "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "hub"


def _hub_folder(repo: str) -> str:
    return "models--" + repo.replace("/", "--")
