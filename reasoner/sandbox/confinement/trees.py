"""The files that an interpreter needs to start and to import the installed packages."""

import os
import site
import sys
import sysconfig
from pathlib import Path

__all__ = ["DEVICES", "package_folders", "readable_trees", "sandbox_import_path"]

DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")


def package_folders(*others: str) -> tuple[str, ...]:
    """Return the folder of the package `reasoner` and the `others`, both as given and resolved."""
    root = Path(__file__).parents[__name__.count(".") - 1]
    folders = (str(root), *others)
    paths = (path for folder in folders for path in (folder, os.path.realpath(folder)))
    return tuple(dict.fromkeys(paths))


def readable_trees() -> tuple[str, ...]:
    """Return the trees a program may read: the interpreter, its and the system's libraries."""
    bases = {sys.base_prefix, sys.prefix, os.path.realpath(sys.base_prefix)}
    trees = [f"{base}/{folder}" for base in sorted(bases) for folder in ("lib", "lib64")]
    trees += [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    trees += [*site.getsitepackages(), *_SYSTEM, *DEVICES]
    return tuple(dict.fromkeys(tree for tree in trees if tree and os.path.exists(tree)))


def sandbox_import_path() -> list[str]:
    """Return the entries of `sys.path` that lie in `readable_trees`: not the project, not the
    user's."""
    trees = [os.path.realpath(tree) for tree in readable_trees()]
    zipped = [entry for entry in sys.path if entry.endswith(".zip")]
    return [
        entry
        for entry in sys.path
        if entry in zipped
        or any(Path(os.path.realpath(entry)).is_relative_to(tree) for tree in trees)
    ]
