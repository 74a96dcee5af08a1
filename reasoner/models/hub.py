"""The Hugging Face Hub as a source: resolve a file, then download it with byte ranges.

Headers, tokens, redirects and error classes are huggingface_hub's. The transfer is done here,
because the library no longer resumes: it writes each attempt to a new file, deleted on error.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from reasoner.concurrency.timeout import call_with_timeout
from reasoner.errors import ChecksumError, DownloadError, ReasonerError
from reasoner.http_errors import error_reason
from reasoner.models.progress import DownloadObserver
from reasoner.models.space import check_disk_space, write_errors
from reasoner.models.spec import ModelSpec

__all__ = ["HubSource", "list_hub_files"]

CONNECT_SECONDS, READ_SECONDS = 6.0, 30.0
MAX_ATTEMPTS, PAUSE_SECONDS = 5, 0.5
SHA256 = re.compile(r"[0-9a-f]{64}")


class HubSource:
    """Downloads `spec.repo`/`spec.file`. The file's etag, stored beside the partial file, decides
    whether an earlier attempt can be continued."""

    name = "Hugging Face Hub"
    key = "hub"

    def fetch(self, spec: ModelSpec, part: Path, progress: DownloadObserver) -> str | None:
        """Complete the partial file and return the SHA-256 that the Hub states for it, if any.

        Raises DownloadError when the Hub cannot deliver it, ChecksumError when the Hub's file is
        not the one that the spec describes, and ModelError when it cannot be written.
        """
        url = _url(spec)
        with _hub_errors(spec.repo or ""):
            metadata = _call_with_timeout(partial(_file_metadata, url))
        etag, size = str(metadata.etag or ""), metadata.size
        stated_sha256 = etag if SHA256.fullmatch(etag) else None
        _compare(spec, size, stated_sha256)
        with write_errors(part.parent):
            done = _prepare(part, etag, size)
            check_disk_space(part.parent, max((size or 0) - done, 0))
        progress.begin(spec.file or url, size, done)
        try:
            _transfer(url, part, size, progress)
        finally:
            progress.end()
        return stated_sha256


def list_hub_files(repo: str) -> list[str]:
    """The names of all files of a repository. Raises DownloadError."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=_endpoint())
    with _hub_errors(repo):
        info = _call_with_timeout(partial(api.model_info, repo, timeout=CONNECT_SECONDS))
    return [sibling.rfilename for sibling in info.siblings or ()]


def _call_with_timeout(call: Any) -> Any:
    """A connect timeout holds per address, and the Hub has many: behind a firewall that drops
    packets the library alone would take most of a minute to fail."""
    return call_with_timeout(call, CONNECT_SECONDS * 2, "no reply")


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _url(spec: ModelSpec) -> str:
    from huggingface_hub import hf_hub_url

    if spec.repo is None or spec.file is None:
        raise DownloadError(f"{spec.alias} has no place on the Hub")
    return hf_hub_url(spec.repo, spec.file, revision=spec.revision, endpoint=_endpoint())


def _file_metadata(url: str) -> Any:
    from huggingface_hub import get_hf_file_metadata

    return get_hf_file_metadata(url, timeout=CONNECT_SECONDS)


def _compare(spec: ModelSpec, size: int | None, sha256: str | None) -> None:
    """Fail before the download, not after it, when the Hub has another file by this name."""
    for label, expected, actual in (
        ("size", spec.exact_size, size),
        ("SHA-256", spec.sha256, sha256),
    ):
        if expected is not None and actual is not None and expected != actual:
            raise ChecksumError(
                f"{spec.file} on the Hub is not {spec.alias}: "
                f"its {label} is {str(actual)[:16]}, not {str(expected)[:16]}"
            )


def _prepare(part: Path, etag: str, size: int | None) -> int:
    """Keep the bytes of an earlier attempt if they are of the same file; return their number."""
    part.parent.mkdir(parents=True, exist_ok=True)
    stamp = part.with_name(part.name + ".etag")
    if not (stamp.is_file() and etag and stamp.read_bytes() == etag.encode()):
        part.unlink(missing_ok=True)
        stamp.write_bytes(etag.encode())
    part.touch()
    if size is None or part.stat().st_size > size:
        os.truncate(part, 0)
    return part.stat().st_size


def _transfer(url: str, part: Path, size: int | None, progress: DownloadObserver) -> None:
    """Download until the file is complete; after a dropped connection, continue where it broke off.
    Attempts count anew whenever one has brought any bytes."""
    failures = 0
    while size is None or part.stat().st_size < size:
        before = part.stat().st_size
        try:
            with _hub_errors(url, "broke off the download"):
                _download_from(url, part, before, progress)
        except DownloadError:
            failures = 1 if part.stat().st_size > before else failures + 1
            if failures >= MAX_ATTEMPTS or size is None:
                raise
            time.sleep(PAUSE_SECONDS * failures)
            continue
        if size is None or part.stat().st_size == before:
            return


def _download_from(url: str, part: Path, start: int, progress: DownloadObserver) -> None:
    """Append the bytes from `start` on; start over if the server ignores the range."""
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
        is_resumed = start and response.status_code == 206
        if start and not is_resumed:
            progress.advance(-start)
        with write_errors(part.parent), part.open("r+b") as file:
            file.seek(start if is_resumed else 0)
            file.truncate()
            _copy(response, file, progress)


def _copy(response: Any, file: Any, progress: DownloadObserver) -> None:
    for chunk in response.iter_bytes():  # as they arrive: a chunk size would hold some back
        file.write(chunk)
        progress.advance(len(chunk))


@contextmanager
def _hub_errors(subject: str, failure: str = "cannot be reached") -> Iterator[None]:
    """Translate whatever the Hub's client raises to a DownloadError of one line about `subject`."""
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
        raise DownloadError(
            f"{subject} is gated; accept its terms and run `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise DownloadError(f"the Hub has no repository {subject}, or it is private") from error
    except (RemoteEntryNotFoundError, RevisionNotFoundError) as error:
        raise DownloadError(f"{subject} on the Hub has no such file or revision") from error
    except Exception as error:  # httpx's or httpx2's, depending on the library's version
        reason = error_reason(error)
        raise DownloadError(f"the Hugging Face Hub {failure} ({reason})") from error
