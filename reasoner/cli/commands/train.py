"""`reasoner train`: the commands that train small models."""

from reasoner.cli.help.commands import CommandEntry, Commands

__all__ = ["app"]

IN = "reasoner.cli.commands"

app = Commands(
    "Train a small model on data made here.",
    {
        "value": CommandEntry(
            f"{IN}.train_value:value",
            "Train a value head on what the model doubted in rollouts.",
        ),
        "policy": CommandEntry(
            f"{IN}.train_policy:policy", "Train a small Llama that thinks in Steiner's tokens."
        ),
        "explore": CommandEntry(
            f"{IN}.train_explore:explore", "Let a policy try problems, and mend its mistakes."
        ),
        "prm": CommandEntry(
            f"{IN}.train_prm:prm", "Train a small process reward model from a policy."
        ),
    },
)
