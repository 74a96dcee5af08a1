"""What an answer depends on beside the question: the program, its libraries, the models, the
machine. All of it must be had in milliseconds, so files are known by size and time of change."""

import hashlib
import importlib.util
import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from reasoner.settings import directories

__all__ = ["digest", "engine_build", "files", "surroundings"]

LIBRARIES = ("llama_cpp", "jinja2", "sympy", "math_verify")
"""The packages that put words, numbers or judgements into an answer."""


def digest(data: Any) -> bytes:
    """A key for plain data: the same for equal data, whatever its order."""
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def files(*paths: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of files; those that are not there are left out."""
    found = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return found


@cache
def engine_build() -> str:
    """Which llama.cpp this is: another build may compute other numbers."""
    spec = importlib.util.find_spec("llama_cpp")
    places = list(spec.submodule_search_locations or ()) if spec else []
    libraries = [path for place in places for path in sorted(Path(place, "lib").glob("*"))]
    return digest(files(*libraries)).hex()


@cache
def surroundings() -> str:
    """Everything else that is the same for all questions: our own code, libraries, plugins and
    the user's choice of them, and what a sandbox would find here."""
    from reasoner.verify.sources import find_sources

    own = directories()
    sources = find_sources()
    extra = [Path(source.origin) for source in sources if source.origin.endswith(".py")]
    machine = os.uname()
    return digest(
        {
            "build": engine_build(),
            "program": files(*_program()),
            "libraries": files(*map(_package, LIBRARIES)),
            "plugins": [(s.name, s.origin, s.version, s.enabled) for s in sources],
            "plugin files": files(*extra),
            "models": files(own.models_file),
            "machine": [machine.sysname, machine.release, machine.machine, os.cpu_count()],
            "sandbox": [os.getuid() == 0, shutil.which("bwrap"), shutil.which("sandbox-exec")],
        }
    ).hex()


def _program() -> list[Path]:
    """Our own files: while they are worked on, a version number does not tell them apart."""
    root = Path(__file__).parent.parent
    found = [root / "models.toml"]
    for folder, _, names in os.walk(root, followlinks=True):
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return sorted(found)


def _package(name: str) -> Path:
    """A file that every installation of the package writes anew."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin if spec and spec.origin else name)
