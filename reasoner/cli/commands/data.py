"""`reasoner data`: the commands that make data to train on."""

from reasoner.cli.help.commands import CommandEntry, Commands

__all__ = ["app"]

app = Commands(
    "Make data to train on.",
    {
        "paths": CommandEntry(
            "reasoner.cli.commands.data_paths:paths",
            "Make paths of thought, with backtracks, through problems.",
        ),
        "rollouts": CommandEntry(
            "reasoner.cli.commands.data_rollouts:rollouts",
            "Draw solutions of known problems and judge their steps.",
        ),
    },
)
