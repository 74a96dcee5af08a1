"""Where the limits of a process's control groups stand, for cgroup v1, v2 and nested groups."""

from collections.abc import Iterator
from pathlib import PurePosixPath

__all__ = ["MEMBERSHIP_FILE", "cgroup_folders"]

MEMBERSHIP_FILE = "/proc/self/cgroup"
ROOT = PurePosixPath("/sys/fs/cgroup")
MAX_DEPTH = 64


def cgroup_folders(controller: str, membership: str) -> list[PurePosixPath]:
    """Return the folders that may hold limits of `controller` (`cpu`, `memory`) for this process.

    `membership` is the text of MEMBERSHIP_FILE, empty where there is none. A limit of any folder
    holds: those of the process's own group, of all groups around it, and of the mounted root,
    which is the own group inside a container. Folders that do not exist are among them.
    """
    folders: dict[PurePosixPath, None] = {}
    for line in membership.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        for root in _roots(number, names, controller):
            folders |= dict.fromkeys(root / group for group in _groups(path))
    roots = (ROOT, ROOT / "unified", ROOT / controller, ROOT / "cpu,cpuacct")
    return [*folders, *(root for root in roots if root not in folders)]


def _roots(number: str, names: str, controller: str) -> list[PurePosixPath]:
    """Where the hierarchy of one line is mounted."""
    if number == "0" and not names:
        return [ROOT, ROOT / "unified"]
    if controller in names.split(","):
        return [ROOT / names, ROOT / controller]
    return []


def _groups(path: str) -> Iterator[str]:
    """The group and all groups around it, innermost first, as paths below a root. Groups outside
    of the process's namespace (`/../other`) cannot be read and are left out."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")][:MAX_DEPTH]
    for length in range(len(parts), -1, -1):
        yield "/".join(parts[:length])
