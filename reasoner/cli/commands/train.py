"""`reasoner train`: the commands that train small models."""

from reasoner.cli.help.commands import CommandEntry, Commands

__all__ = ["app"]

PACKAGE = "reasoner.cli.commands"

app = Commands(
    "Train a small model on data made here.",
    {
        "value": CommandEntry(
            f"{PACKAGE}.train_value:value",
            "Train a value head on what the model doubted in rollouts.",
        ),
        "policy": CommandEntry(
            f"{PACKAGE}.train_policy:policy", "Train a small Llama that thinks in Steiner's tokens."
        ),
        "explore": CommandEntry(
            f"{PACKAGE}.train_explore:explore", "Let a policy try problems, and mend its mistakes."
        ),
        "prm": CommandEntry(
            f"{PACKAGE}.train_prm:prm", "Train a small process reward model from a policy."
        ),
    },
)
