"""`reasoner train`: trains small models on such data. A command is a file of its own."""

import typer

from reasoner.cli.train_explore import explore
from reasoner.cli.train_policy import policy
from reasoner.cli.train_prm import prm
from reasoner.cli.train_value import value

__all__ = ["app"]

app = typer.Typer(
    help="Train a small model on data made here.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def train() -> None:
    """Train a small model on data made here."""


app.command()(value)
app.command()(policy)
app.command()(explore)
app.command()(prm)
