"""`reasoner serve`: a model that stays loaded, for editors, scripts and other terminals."""

from typing import Annotated

import typer

from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.spread import spread_options

__all__ = ["serve"]

DEFAULT_PORT = 8642
DEFAULT_CONCURRENCY = 16


@spread_options
def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="0: any.")
    ] = DEFAULT_PORT,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Questions at work at once.")
    ] = DEFAULT_CONCURRENCY,
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
    from reasoner.cli.commands.serve_run import serve_model  # loads the search and the server

    serve_model(run, host, port, concurrency)
