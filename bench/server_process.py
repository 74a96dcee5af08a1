"""`reasoner serve` as a child process, for measurements against it."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["REASONER_COMMAND", "running_server"]

REASONER_COMMAND = (sys.executable, "-m", "reasoner")


@contextmanager
def running_server(
    model: str, options: Sequence[str] = ()
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """Start a server, and yield its process and address once it is ready; terminate it afterwards.

    Raises SystemExit when the server does not start.
    """
    command = [*REASONER_COMMAND, "serve", "--port", "0", "-m", model, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        address = re.search(r"http://\S+?(?=/v1)", process.stderr.readline().decode())
        if address is None:
            raise SystemExit("the server does not start")
        try:
            yield process, address[0]
        finally:
            process.terminate()
