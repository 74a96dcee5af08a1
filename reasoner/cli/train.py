"""`reasoner train`: trains small models on such data. A command is a file of its own."""

from reasoner.cli.command import Commands
from reasoner.cli.train_explore import explore
from reasoner.cli.train_policy import policy
from reasoner.cli.train_prm import prm
from reasoner.cli.train_value import value

__all__ = ["app"]

app = Commands("Train a small model on data made here.")


app.command()(value)
app.command()(policy)
app.command()(explore)
app.command()(prm)
