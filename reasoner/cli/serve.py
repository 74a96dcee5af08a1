"""`reasoner serve`: a model that stays loaded, for editors, scripts and other terminals."""

from typing import TYPE_CHECKING, Annotated

import typer

from reasoner.cli.options import RunOptions
from reasoner.cli.spread import spread
from reasoner.errors import UsageError

if TYPE_CHECKING:
    import socket

    from reasoner.cli.output import Output
    from reasoner.settings import Settings

__all__ = ["serve"]

PORT = 8642
AT_ONCE, WAITING = 16, 256


@spread
def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any.")] = PORT,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Questions at work at once.")
    ] = AT_ONCE,
    *,
    run: RunOptions,
) -> None:
    """Keep a model loaded and answer over HTTP.

    It speaks OpenAI's chat completions: POST /v1/chat/completions (also as a stream), GET
    /v1/models, GET /health. reasoning_effort and the usual sampling fields are honoured;
    strategies, tools and checks are chosen in a field "reasoner" of the request, by the names of
    the settings, such as {"strategy": "majority", "strategy_options": {"n": 8}, "expect": "42"}.
    The reply's field "reasoner" is what `ask --json` prints.

    Only this machine is answered. To listen elsewhere, set a key in REASONER_API_KEY; clients then
    have to send it. The options below are what holds where a request says nothing.
    """
    import asyncio

    from reasoner.cli.output import Output
    from reasoner.cli.view import ViewOptions
    from reasoner.serve.run import is_loopback, listen

    settings = run.settings()
    if settings.api_key is None and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere: set a key in REASONER_API_KEY, "
            "or leave out --host"
        )
    output = Output.open(ViewOptions())
    with listen(host, port) as listening:
        asyncio.run(_serve(settings, listening, concurrency, output))


async def _serve(
    settings: "Settings", listening: "socket.socket", at_once: int, output: "Output"
) -> None:
    from reasoner.serve.run import serve
    from reasoner.serve.service import Service
    from reasoner.solver import Solver

    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    async with Solver(settings, output.on_event, output.progress) as solver:
        service = Service(solver, settings, key, at_once=at_once, most=WAITING)
        host, port, *_ = listening.getsockname()
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        asks = "a key is asked for" if key else "only this machine is answered"
        output.narrator.say(f"{settings.model} on {address}/v1 · {asks} · Ctrl-C stops")
        await serve(service, listening)
    output.narrator.say("stopped")
