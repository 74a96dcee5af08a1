"""llama-cpp-python's own server in a process of its own: somebody else's OpenAI-compatible one."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

__all__ = ["completions_server"]

SLOW = 120.0


@contextmanager
def completions_server(model: Path, *, logprobs: bool = True, context: int = 1024) -> Iterator[str]:
    """Serve the model as `peer`; gives the address that ends in /v1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--port", str(port)),
        *("--model_alias", "peer", "--n_ctx", str(context), "--logits_all", str(logprobs)),
        *("--interrupt_requests", "false", "--verbose", "false"),
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            address = f"http://127.0.0.1:{port}/v1"
            _await(process, address)
            yield address
        finally:
            process.kill()


def _await(process: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + SLOW
    while True:
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server does not start"
        try:
            if httpx2.get(f"{address}/models", timeout=SLOW).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
