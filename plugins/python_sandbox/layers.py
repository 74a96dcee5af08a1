"""The sandbox layers, strongest first.

A layer is a way to start the child process, and the confinement that the child applies to itself.
`probe` determines by trial which of them work on this machine.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reasoner.sandbox import worker_process
from reasoner.sandbox.confinement.trees import DEVICES, package_folders, readable_trees

__all__ = ["LAYERS", "UNCONFINED", "Layer"]


HARMLESS_GAPS = ("machine code",)
"""Gaps that expose only the program's own process."""
_OWN_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Layer:
    """A way to run a program.

    `outer` is the wrapper around the interpreter ("" for none), `confine` the methods that the
    child applies to itself, `gaps` the attacks that are known to succeed.
    """

    name: str
    outer: str
    confine: tuple[str, ...]
    gaps: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The warning that a verdict carries about the layer; empty for the strongest."""
        if not self.confine and not self.outer:
            return "RUN WITHOUT A SANDBOX"
        missing = [gap for gap in self.gaps if gap not in HARMLESS_GAPS]
        return f"open to: {', '.join(missing)}" if missing else ""

    @property
    def possible(self) -> bool:
        """Whether the layer can work on this machine, so that probing it makes sense."""
        if self.outer == "sandbox-exec":
            return sys.platform == "darwin"
        return sys.platform == "linux" and (not self.outer or shutil.which(self.outer) is not None)

    def command(self, inner: Sequence[str], box: str) -> list[str]:
        """Return the command `inner` in its wrapper; `box` is the only writable directory."""
        if self.outer == "bwrap":
            return [*_bubblewrap(box), *inner]
        if self.outer == "sandbox-exec":
            return ["sandbox-exec", "-p", _seatbelt(box), *inner]
        return list(inner)


LAYERS = (
    Layer("bubblewrap + landlock + seccomp", "bwrap", ("landlock", "seccomp"), HARMLESS_GAPS),
    Layer("bubblewrap + seccomp", "bwrap", ("seccomp",), HARMLESS_GAPS),
    Layer(
        "landlock + seccomp",
        "",
        ("landlock", "seccomp"),
        (*HARMLESS_GAPS, "file metadata", "process existence"),
    ),
    Layer("sandbox-exec", "sandbox-exec", (), ("memory is only watched, not limited",)),
)
UNCONFINED = Layer("no sandbox", "", (), ("files", "network", "processes"))
"""No sandbox: only limits and a minimal environment, used when the user asks for it explicitly."""


def _bubblewrap(box: str) -> list[str]:
    """Return a `bwrap` command without network, capabilities, and files other than those bound."""
    ours = (_OWN_FOLDER, Path(worker_process.__file__).parent)
    # The child mounts its folder, then drops the capability; seccomp forbids mounts and namespaces.
    arguments = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--unshare-user"]
    arguments += [
        "--cap-drop",
        "ALL",
        "--cap-add",
        "CAP_SYS_ADMIN",
        "--die-with-parent",
        "--new-session",
        "--hostname",
        "sandbox",
    ]
    for path in _bound():
        if os.path.islink(path) and path in ("/lib", "/lib64"):
            arguments += ["--symlink", os.readlink(path), path]
        else:
            arguments += ["--ro-bind", os.path.realpath(path), path]
    for device in DEVICES:
        arguments += ["--dev-bind", device, device]
    for folder in ours:
        arguments += ["--ro-bind", os.path.realpath(folder), str(folder)]
    return [*arguments, "--bind", box, box, "--remount-ro", "/", "--chdir", box]


def _bound() -> list[str]:
    """Return the paths that the interpreter needs to start."""
    interpreter = [sys.executable, os.path.realpath(sys.executable)]
    folders = [os.path.dirname(path) for path in interpreter]
    folders += [f"{sys.base_prefix}/bin", f"{os.path.realpath(sys.base_prefix)}/bin"]
    paths = [*folders, f"{sys.prefix}/pyvenv.cfg", *readable_trees()]
    paths = [path for path in paths if os.path.exists(path) and path not in DEVICES]
    return sorted(dict.fromkeys(paths), key=lambda path: (path.count("/"), path))


def _seatbelt(box: str) -> str:
    """Return a deny-by-default profile for macOS; paths are canonical (/private/var, not /var)."""
    trees = [os.path.realpath(path) for path in (*_bound(), *package_folders(str(_OWN_FOLDER)))]
    trees += ["/usr/lib", "/System/Library", "/Library/Frameworks", sys.base_prefix]
    reads = " ".join(f'(subpath "{tree}")' for tree in dict.fromkeys(trees))
    executable = os.path.realpath(sys.executable)
    return (
        "(version 1)(deny default)(allow sysctl-read)(allow file-read-metadata)"
        f'(allow process-exec (literal "{executable}") (literal "{sys.executable}"))'
        f"(allow file-read* {reads}"
        ' (literal "/dev/null") (literal "/dev/urandom") (literal "/dev/random") (literal "/"))'
        f'(allow file-read* file-write* (subpath "{os.path.realpath(box)}"))'
        '(allow file-write-data (literal "/dev/null"))'
        "(allow signal (target self))"
    )
