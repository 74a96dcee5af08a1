"""A real `reasoner serve` in a process of its own, on a free port."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.command import COMMAND, environment

__all__ = ["Server", "serving"]

SLOW = 120.0


class Server:
    """`address` is where it listens."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process, self.address = process, address

    def memory(self) -> float:
        """Resident MiB."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * 4096 / 2**20

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SLOW)


@contextmanager
def serving(home: Path, model: Path, *arguments: str, **extra: str) -> Iterator[Server]:
    """Start it, and end it whatever happens."""
    command = [*COMMAND, "serve", "--port", "0", "-m", str(model), *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(home, **extra)
    )
    assert process.stderr is not None
    with process.stderr:
        try:
            line = process.stderr.readline().decode()
            found = re.search(r"http://\S+?(?=/v1)", line)
            assert found, line
            yield Server(process, found[0])
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
