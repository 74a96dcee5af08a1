"""The Hugging Face Hub as a source: resolve a file, then read it with ranges so that it resumes.

Headers, tokens, redirects and errors are huggingface_hub's. The transfer is our own, because the
library no longer resumes (it writes each attempt to a file of its own and deletes that on error).
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from reasoner.errors import ChecksumError, DownloadError, ReasonerError
from reasoner.models.progress import Progress
from reasoner.models.space import check_space, writing
from reasoner.models.spec import ModelSpec

__all__ = ["HubSource", "list_repository"]

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 6.0, 30.0
ATTEMPTS, PAUSE = 5, 0.5
SHA256 = re.compile(r"[0-9a-f]{64}")


class HubSource:
    """Fetches `spec.repo`/`spec.file`; what it has already is told by the file's etag."""

    name = "Hugging Face Hub"
    key = "hub"

    def fetch(self, spec: ModelSpec, part: Path, progress: Progress) -> str | None:
        """Bring `part` to the whole file; return the SHA-256 the Hub claims for it, if any."""
        url = _url(spec)
        with _clear_errors(spec.repo or ""):
            found = _within(CONNECT_SECONDS * 2, lambda: _head(url))
        etag, size = str(found.etag or ""), found.size
        claimed = etag if SHA256.fullmatch(etag) else None
        _compare(spec, size, claimed)
        with writing(part.parent):
            done = _prepare(part, etag, size)
            check_space(part.parent, max((size or 0) - done, 0))
        progress.begin(spec.file or url, size, done)
        try:
            _transfer(url, part, size, progress)
        finally:
            progress.end()
        return claimed


def list_repository(repo: str) -> list[str]:
    """The names of all files of a repository. Raises DownloadError."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=_endpoint())
    with _clear_errors(repo):
        info = _within(CONNECT_SECONDS * 2, lambda: api.model_info(repo, timeout=CONNECT_SECONDS))
    return [sibling.rfilename for sibling in info.siblings or ()]


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _url(spec: ModelSpec) -> str:
    from huggingface_hub import hf_hub_url

    if spec.repo is None or spec.file is None:
        raise DownloadError(f"{spec.alias} has no place on the Hub")
    return hf_hub_url(spec.repo, spec.file, revision=spec.revision, endpoint=_endpoint())


def _head(url: str) -> Any:
    from huggingface_hub import get_hf_file_metadata

    return get_hf_file_metadata(url, timeout=CONNECT_SECONDS)


def _compare(spec: ModelSpec, size: int | None, claimed: str | None) -> None:
    """Say before the download, not after it, that the Hub has another file by this name."""
    for what, wanted, there in (("size", spec.size, size), ("SHA-256", spec.sha256, claimed)):
        if wanted is not None and there is not None and wanted != there:
            raise ChecksumError(
                f"{spec.file} on the Hub is not {spec.alias}: "
                f"its {what} is {str(there)[:16]}, not {str(wanted)[:16]}"
            )


def _prepare(part: Path, etag: str, size: int | None) -> int:
    """Keep what an earlier attempt left if it is the same file; return how much that is."""
    part.parent.mkdir(parents=True, exist_ok=True)
    stamp = part.with_name(part.name + ".etag")
    if not (stamp.is_file() and etag and stamp.read_bytes() == etag.encode()):
        part.unlink(missing_ok=True)
        stamp.write_bytes(etag.encode())
    part.touch()
    if size is None or part.stat().st_size > size:
        os.truncate(part, 0)
    return part.stat().st_size


def _transfer(url: str, part: Path, size: int | None, progress: Progress) -> None:
    """Read until the file is whole; a dropped connection is taken up where it broke off."""
    failures = 0
    while size is None or part.stat().st_size < size:
        before = part.stat().st_size
        try:
            with _clear_errors(url, "broke off the download"):
                _read(url, part, before, progress)
        except DownloadError:
            failures = 1 if part.stat().st_size > before else failures + 1
            if failures >= ATTEMPTS or size is None:
                raise
            time.sleep(PAUSE * failures)
            continue
        if size is None or part.stat().st_size == before:
            return


def _read(url: str, part: Path, start: int, progress: Progress) -> None:
    """Append what the server sends from `start` on; begin anew if it ignores the range."""
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    session = get_session()
    with session.stream("GET", url, headers=headers, timeout=READ_SECONDS) as response:
        if response.status_code >= 400:
            response.read()
        hf_raise_for_status(response)
        resumed = start and response.status_code == 206
        if start and not resumed:
            progress.advance(-start)
        with writing(part.parent), part.open("r+b") as file:
            file.seek(start if resumed else 0)
            file.truncate()
            _copy(response, file, progress)


def _copy(response: Any, file: Any, progress: Progress) -> None:
    for chunk in response.iter_bytes():  # as they arrive: a chunk size would hold some back
        file.write(chunk)
        progress.advance(len(chunk))


@contextmanager
def _clear_errors(what: str, failed: str = "cannot be reached") -> Iterator[None]:
    """One line for whatever the Hub's client raises."""
    from huggingface_hub.errors import (
        GatedRepoError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except ReasonerError:
        raise
    except GatedRepoError as error:
        raise DownloadError(f"{what} is gated; accept its terms and run `hf auth login`") from error
    except RepositoryNotFoundError as error:
        raise DownloadError(f"the Hub has no repository {what}, or it is private") from error
    except (RemoteEntryNotFoundError, RevisionNotFoundError) as error:
        raise DownloadError(f"{what} on the Hub has no such file or revision") from error
    except Exception as error:  # httpx's or httpx2's, as the library's version has it
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise DownloadError(f"the Hugging Face Hub {failed} ({reason[:200]})") from error


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Run `call`, but wait no longer than this.

    A connect timeout holds per address, and the Hub has many: behind a firewall that drops
    packets the library alone would take most of a minute to say so.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TimeoutError(f"no reply within {seconds:.0f} s")
    return outcome[0]
