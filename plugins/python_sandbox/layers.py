"""The layers a program can be run in, strongest first.

A layer is a way to start the child and the confinement the child then puts on itself. Which of
them works here is found out by `probe`, by trying.
"""

import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LAYERS", "UNCONFINED", "Layer", "import_path", "readable"]

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


@dataclass(frozen=True)
class Layer:
    """`outer` is the wrapper around the interpreter ("" for none); `confine` what the child
    does to itself; `gaps` what is known to get through."""

    name: str
    outer: str
    confine: tuple[str, ...]
    gaps: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether it is worth probing here."""
        if self.outer == "sandbox-exec":
            return sys.platform == "darwin"
        return sys.platform == "linux" and (not self.outer or shutil.which(self.outer) is not None)

    def command(self, inner: Sequence[str], box: str, program: str) -> list[str]:
        """`inner` wrapped; `box` is the only writable directory."""
        if self.outer == "bwrap":
            return [*_bubblewrap(box, program), *inner]
        if self.outer == "sandbox-exec":
            return ["sandbox-exec", "-p", _seatbelt(box, program), *inner]
        return list(inner)


LAYERS = (
    Layer("bubblewrap + landlock + seccomp", "bwrap", ("landlock", "seccomp")),
    Layer("landlock + seccomp", "", ("landlock", "seccomp")),
    Layer("bubblewrap + seccomp", "bwrap", ("seccomp",)),
    Layer("sandbox-exec", "sandbox-exec", (), ("memory is only watched, not limited",)),
)
UNCONFINED = Layer("rlimits only", "", (), ("files", "network", "processes"))
"""Not a sandbox: limits and a clean environment, for those who ask for it explicitly."""


def readable() -> tuple[str, ...]:
    """The trees a program may read: the interpreter, its libraries, the system's libraries."""
    bases = {sys.base_prefix, sys.prefix, os.path.realpath(sys.base_prefix)}
    trees = [f"{base}/{part}" for base in sorted(bases) for part in ("lib", "lib64")]
    trees += [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    trees += [*site.getsitepackages(), *_SYSTEM, *_DEVICES]
    return tuple(dict.fromkeys(tree for tree in trees if tree and os.path.exists(tree)))


def import_path() -> list[str]:
    """Our import path without what a program has no business with: the project, the user's."""
    trees = [os.path.realpath(tree) for tree in readable()]
    zipped = [entry for entry in sys.path if entry.endswith(".zip")]
    return [
        entry
        for entry in sys.path
        if entry in zipped
        or any(Path(os.path.realpath(entry)).is_relative_to(tree) for tree in trees)
    ]


def _bubblewrap(box: str, program: str) -> list[str]:
    """Only what is bound exists; no network, no capabilities, no further user namespaces."""
    import reasoner

    here = Path(reasoner.__file__).parent / "plugins" / "python_sandbox"
    arguments = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--cap-drop",
        "ALL",
    ]
    arguments += ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    for path in _bound():
        if os.path.islink(path) and path in ("/lib", "/lib64"):
            arguments += ["--symlink", os.readlink(path), path]
        else:
            arguments += ["--ro-bind", os.path.realpath(path), path]
    for device in _DEVICES:
        arguments += ["--dev-bind", device, device]
    arguments += ["--ro-bind", os.path.realpath(here), str(here), "--ro-bind", program, program]
    return [*arguments, "--bind", box, box, "--remount-ro", "/", "--chdir", box]


def _bound() -> list[str]:
    """What must exist inside for the interpreter to start."""
    interpreter = [sys.executable, os.path.realpath(sys.executable)]
    folders = [os.path.dirname(path) for path in interpreter]
    folders += [f"{sys.base_prefix}/bin", f"{os.path.realpath(sys.base_prefix)}/bin"]
    paths = [*folders, f"{sys.prefix}/pyvenv.cfg", *readable()]
    paths = [path for path in paths if os.path.exists(path) and path not in _DEVICES]
    return sorted(dict.fromkeys(paths), key=lambda path: (path.count("/"), path))


def _seatbelt(box: str, program: str) -> str:
    """A deny-by-default profile for macOS; paths must be canonical (/private/var, not /var)."""
    trees = [os.path.realpath(path) for path in (*_bound(), os.path.dirname(__file__))]
    trees += ["/usr/lib", "/System/Library", "/Library/Frameworks", sys.base_prefix]
    reads = " ".join(f'(subpath "{tree}")' for tree in dict.fromkeys(trees))
    executable = os.path.realpath(sys.executable)
    return (
        "(version 1)(deny default)(allow sysctl-read)(allow file-read-metadata)"
        f'(allow process-exec (literal "{executable}") (literal "{sys.executable}"))'
        f'(allow file-read* {reads} (literal "{os.path.realpath(program)}")'
        ' (literal "/dev/null") (literal "/dev/urandom") (literal "/dev/random") (literal "/"))'
        f'(allow file-read* file-write* (subpath "{os.path.realpath(box)}"))'
        '(allow file-write-data (literal "/dev/null"))'
        "(allow signal (target self))"
    )
