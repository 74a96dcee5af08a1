"""Fingerprints of everything that an answer depends on beside the question: the program, its
libraries, the plugins, the machine. Files are identified by size and modification time, because
hashing their contents would take longer than a cached answer may."""

import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from reasoner.models.registry import shipped_registry_file
from reasoner.plugin_host.discovery import find_plugin_sources
from reasoner.settings import directories

__all__ = ["engine_fingerprint", "environment_fingerprint", "file_stamps", "fingerprint"]

LIBRARIES = ("llama_cpp", "jinja2", "sympy", "math_verify")
"""The packages whose version can change an answer or a verdict."""


def fingerprint(data: Any) -> bytes:
    """A SHA-256 key for plain data: equal for equal data, whatever the order of its mappings."""
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def file_stamps(*paths: Path) -> list[tuple[str, int, int]]:
    """Name, size in bytes and modification time in nanoseconds of the files that exist."""
    stamps = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        stamps.append((str(path), stat.st_size, stat.st_mtime_ns))
    return stamps


@cache
def engine_fingerprint() -> str:
    """A fingerprint of the installed llama.cpp, since another build may compute other numbers."""
    spec = importlib.util.find_spec("llama_cpp")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    libraries = [path for folder in folders for path in sorted(Path(folder, "lib").glob("*"))]
    return fingerprint(file_stamps(*libraries)).hex()


@cache
def environment_fingerprint() -> str:
    """A fingerprint of everything that is the same for all questions: the program's code, its
    libraries, the plugins and which are enabled, the registry, and the machine's sandbox. Raises
    UsageError when the file of enabled plugins cannot be read."""
    own = directories()
    sources = find_plugin_sources()
    extra = [Path(source.origin) for source in sources if source.origin.endswith(".py")]
    machine = os.uname()
    return fingerprint(
        {
            "build": engine_fingerprint(),
            "program": file_stamps(*_program()),
            "libraries": file_stamps(*map(_package, LIBRARIES)),
            "plugins": [(s.name, s.origin, s.version, s.enabled) for s in sources],
            "plugin files": file_stamps(*extra),
            "models": file_stamps(own.models_file),
            "machine": [machine.sysname, machine.release, machine.machine, os.cpu_count()],
            "sandbox": [os.getuid() == 0, shutil.which("bwrap"), shutil.which("sandbox-exec")],
        }
    ).hex()


def _program() -> list[Path]:
    """The program's own files, since its version number stays the same while it is developed."""
    folders = [str(Path(__file__).parent.parent), *_plugin_folders()]
    paths = [shipped_registry_file()]
    for top in folders:
        for folder, _, names in os.walk(top):
            paths += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted(paths)


def _plugin_folders() -> Iterator[str]:
    """The folders of the packages that plugins from entry points are in."""
    for source in find_plugin_sources():
        package = source.module.partition(".")[0]
        spec = importlib.util.find_spec(package) if package else None
        yield from (spec.submodule_search_locations or ()) if spec else ()


def _package(name: str) -> Path:
    """The package's `__init__.py`, which every installation of the package writes again."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin if spec and spec.origin else name)
