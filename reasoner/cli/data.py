"""`reasoner data`: makes the data that models are trained on. A command is a file of its own."""

import typer

from reasoner.cli.data_paths import paths
from reasoner.cli.rollouts import rollouts

__all__ = ["app"]

app = typer.Typer(
    help="Make data to train on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def data() -> None:
    """Make data to train on."""


app.command()(paths)
app.command()(rollouts)
