"""The work of `reasoner serve`: open the model, listen, and answer requests until stopped."""

import asyncio
import socket

from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.view import ViewOptions
from reasoner.cli.output.output import Output
from reasoner.errors import UsageError
from reasoner.serve.run import is_loopback, open_socket, run_server
from reasoner.serve.service import CompletionService
from reasoner.settings import Settings
from reasoner.solver.local import LocalSolver

__all__ = ["serve_model"]

MAX_WAITING_REQUESTS = 256


def serve_model(run: RunOptions, host: str, port: int, concurrency: int) -> None:
    """Answer requests on `host` and `port` until Ctrl-C or SIGTERM.

    Raises UsageError for an address that others can reach without a key, and when it is in use.
    """
    settings = Settings.load(**run.flags())
    if settings.api_key is None and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere: set a key in REASONER_API_KEY, "
            "or leave out --host"
        )
    output = Output.open(ViewOptions())
    with open_socket(host, port) as listening:
        asyncio.run(_serve(settings, listening, concurrency, output))


async def _serve(
    settings: Settings, listening: socket.socket, concurrency: int, output: Output
) -> None:
    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    async with LocalSolver(settings, output.on_event, output.progress) as solver:
        service = CompletionService(
            solver, settings, key, max_concurrency=concurrency, max_waiting=MAX_WAITING_REQUESTS
        )
        access = "a key is asked for" if key else "only this machine is answered"
        output.narrator.show_notice(
            f"{settings.model} on {_address(listening)}/v1 · {access} · Ctrl-C stops"
        )
        await run_server(service, listening)
    output.narrator.show_notice("stopped")


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
