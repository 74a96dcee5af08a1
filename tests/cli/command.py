"""Runs `python -m reasoner` as a shell would, away from the user's own files and variables."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["COMMAND", "environment", "run"]

COMMAND = (sys.executable, "-m", "reasoner")
SECONDS = 60.0


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The variables a run gets: none of the user's settings, and directories of its own."""
    ours = ("REASONER_", "NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {f"REASONER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE")}
    return kept | own | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | extra


def run(
    home: Path,
    *arguments: str | Path,
    stdin: bytes | int | None = subprocess.DEVNULL,
    seconds: float = SECONDS,
    **extra: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run to the end; `stdin` is bytes to be piped in, or a descriptor."""
    given: dict[str, Any] = {"input" if isinstance(stdin, bytes) else "stdin": stdin}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        timeout=seconds,
        env=environment(home, **extra),
        check=False,
        **given,
    )
