"""From a name to a checked file on this machine: cached, else fetched from the first source that
delivers it. Every model of the program comes through `ensure_model`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from reasoner.errors import BadModelFile, ChecksumError, DownloadError, ModelError, UsageError
from reasoner.models.cache import (
    cached_files,
    hub_cached,
    lock_path,
    own_path,
    partial_path,
)
from reasoner.models.checksum import digest, known_intact, remember, verify
from reasoner.models.gguf import check_gguf
from reasoner.models.here import cached_spec, sweep
from reasoner.models.hub import HubSource, list_repository
from reasoner.models.name import HubName, hub_spec, parse_name, pick_file
from reasoner.models.progress import Notice, Progress, Silent, silent
from reasoner.models.space import writing
from reasoner.models.spec import ModelFile, ModelSpec
from reasoner.models.wheels import WheelSource

__all__ = ["Source", "ensure_model"]


class Source(Protocol):
    """A place model files come from; `name` is for people, `key` names its partial files."""

    name: str
    key: str

    def fetch(self, spec: ModelSpec, part: Path, progress: Progress) -> str | None:
        """Bring `part` to the whole file, going on from what is there. Return the SHA-256 the
        source itself claims. Raises DownloadError, or ModelError when no source would help."""


def ensure_model(
    name: str,
    *,
    offline: bool = False,
    on_notice: Notice = silent,
    on_progress: Progress | None = None,
) -> ModelFile:
    """Return the model `name` stands for, fetched and checked if it is not here yet.

    `name` is an alias, a path to a GGUF or `owner/repo[:quant or file]`. `offline` never touches
    the network. Raises UsageError (UnknownName among them), DownloadError, ChecksumError,
    BadModelFile or ModelError, each one line; an interrupted download resumes on the next call.
    """
    found = _known(name, offline, on_notice)
    if isinstance(found, ModelFile):
        return found
    spec, listed = found
    path = _cached(spec, on_notice) or _obtain(spec, offline, on_notice, on_progress or Silent())
    return ModelFile(name=name, path=path, spec=spec if listed else None)


def _known(name: str, offline: bool, notice: Notice) -> ModelFile | tuple[ModelSpec, bool]:
    """A local file is done here; anything else becomes a spec, and whether the registry has it."""
    wanted = parse_name(name)
    if isinstance(wanted, HubName):
        return _resolve(wanted, offline, notice)
    if isinstance(wanted, ModelSpec) and wanted.path is None:
        if wanted.url is not None:
            raise UsageError(f"{name} is on a server, {wanted.url}: this needs a file here")
        return wanted, True
    path = wanted if isinstance(wanted, Path) else wanted.path
    spec = wanted if isinstance(wanted, ModelSpec) else None
    if path is None or not path.is_file():
        raise BadModelFile(f"{name}: no such file: {path}")
    if spec is not None:
        verify(path, spec.sha256, spec.size)
    check_gguf(path)
    return ModelFile(name=name, path=path, spec=spec)


def _resolve(wanted: HubName, offline: bool, notice: Notice) -> tuple[ModelSpec, bool]:
    """Which file of the repository: from what is cached if that settles it, else from the Hub."""
    cached = cached_files(wanted.repo)
    try:
        return hub_spec(wanted.repo, pick_file(wanted.repo, cached, wanted.wanted, strict=True))
    except DownloadError as error:
        if offline:
            if cached and wanted.wanted is None:
                return cached_spec(wanted)
            raise _absent(wanted.repo) from error
    try:
        listing = list_repository(wanted.repo)
    except DownloadError as error:
        if not cached or wanted.wanted is not None:
            raise
        notice(f"{error}; using what is cached")
        return cached_spec(wanted)
    return hub_spec(wanted.repo, pick_file(wanted.repo, listing, wanted.wanted))


def _cached(spec: ModelSpec, notice: Notice) -> Path | None:
    """The file if it is here and whole. Our own damaged file is removed, others' are left."""
    own = own_path(spec)
    for path in _places(spec):
        try:
            verify(path, spec.sha256, spec.size)
            if not known_intact(path):
                check_gguf(path)
            return path
        except (ChecksumError, BadModelFile) as error:
            notice(f"the cached file is damaged: {error}")
            if path == own:
                own.unlink(missing_ok=True)
    return None


def _places(spec: ModelSpec) -> Iterator[Path]:
    """Lazily: only who has no file of our own pays for a look with the Hub's library."""
    if own_path(spec).is_file():
        yield own_path(spec)
    if shared := hub_cached(spec):
        yield shared


def _obtain(spec: ModelSpec, offline: bool, notice: Notice, progress: Progress) -> Path:
    if offline:
        raise _absent(spec.alias)
    with _locked(spec, notice):
        # Another process may have fetched it while we waited for the lock.
        return _cached(spec, notice) or _fetch(spec, notice, progress)


def _absent(name: str) -> DownloadError:
    return DownloadError(
        f"{name} is not on this machine and offline mode is on; run `reasoner models pull {name}` "
        "with a connection first"
    )


@contextmanager
def _locked(spec: ModelSpec, notice: Notice) -> Iterator[None]:
    """Hold this file's lock; it goes with the process, so a killed one leaves none behind."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_path(spec))
    with writing(lock_path(spec).parent.parent):
        lock_path(spec).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notice(f"another process is fetching {spec.alias}; waiting for it")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(spec: ModelSpec, notice: Notice, progress: Progress) -> Path:
    """Try the sources in order; each failure but the last is a notice."""
    sources: list[Source] = [HubSource()] if spec.repo else []
    sources += [WheelSource()] if spec.wheels else []
    failures: list[ModelError] = []
    for index, source in enumerate(sources):
        try:
            return _fetch_from(source, spec, progress)
        except (DownloadError, ChecksumError, BadModelFile) as error:
            failures.append(error)
            if following := sources[index + 1 : index + 2]:
                notice(f"{error}; trying the {following[0].name}")
    if len(failures) == 1:
        raise failures[0]
    raise DownloadError(f"cannot get {spec.alias}: {'; '.join(map(str, failures))}")


def _fetch_from(source: Source, spec: ModelSpec, progress: Progress) -> Path:
    part = partial_path(spec, source.key)
    claimed = source.fetch(spec, part, progress)
    try:
        return _land(spec, part, spec.sha256 or claimed)
    except (ChecksumError, BadModelFile) as error:
        sweep(spec)
        raise type(error)(f"what the {source.name} sent is not {spec.alias}: {error}") from error


def _land(spec: ModelSpec, part: Path, sha256: str | None) -> Path:
    """Check the finished file and move it into place in one step."""
    final, checksum = own_path(spec), digest(part)
    if sha256 is not None and checksum != sha256:
        raise ChecksumError(f"its SHA-256 is {checksum[:12]}…, not {sha256[:12]}…")
    check_gguf(part)
    with writing(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(final)
    remember(final, checksum)
    sweep(spec)
    return final
