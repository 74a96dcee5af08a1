"""`reasoner data`: makes the data that models are trained on. A command is a file of its own."""

from reasoner.cli.command import Commands
from reasoner.cli.data_paths import paths
from reasoner.cli.rollouts import rollouts

__all__ = ["app"]

app = Commands("Make data to train on.")


app.command()(paths)
app.command()(rollouts)
