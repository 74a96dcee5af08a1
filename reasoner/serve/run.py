"""The server's process: its socket, its signals, and a shutdown that loses no answer."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from types import FrameType
from typing import Any

import uvicorn

from reasoner.errors import UsageError
from reasoner.serve.service import CompletionService

__all__ = ["is_loopback", "open_socket", "run_server"]

SHUTDOWN_SECONDS = 10
"""How long answers may take to reach their clients after a signal to stop."""
MAX_CONNECTIONS = 1024


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to the host, a name or an IP address."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def open_socket(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises UsageError when host and port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason}; try another --port or --host"
        ) from error


async def run_server(service: CompletionService, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM. Questions being worked on then end with the best answer so
    far."""
    config = uvicorn.Config(
        service.app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    await _Server(config, service).serve(sockets=[listening])


class _Server(uvicorn.Server):
    """A uvicorn server that stops the service's questions when it is signalled to exit."""

    def __init__(self, config: uvicorn.Config, service: CompletionService) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._service.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals as uvicorn does, but do not raise them again after the shutdown, which
        would kill the process."""
        loop = asyncio.get_running_loop()
        signals: tuple[Any, ...] = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
