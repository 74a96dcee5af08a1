"""The server's process: a socket, a loaded solver, and a way to stop that loses no answer."""

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
from reasoner.serve.service import Service

__all__ = ["is_loopback", "listen", "serve"]

GRACE = 10
"""Seconds that answers have to reach their clients once the server was told to stop."""
MOST_CONNECTIONS = 1024


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port}: {reason}; try another --port or --host"
        ) from error


async def serve(service: Service, listening: socket.socket) -> None:
    """Answer until SIGINT or SIGTERM; the questions at work are then ended with what there is."""
    config = uvicorn.Config(
        service.app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    await _Server(config, service).serve(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._service.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but to be told to stop is no reason to die of the signal afterwards."""
        loop = asyncio.get_running_loop()
        numbers: tuple[Any, ...] = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
