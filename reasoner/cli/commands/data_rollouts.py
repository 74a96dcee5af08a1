"""`reasoner data rollouts`: solutions of known problems, with a label for each step."""

from reasoner.cli.options.rollouts import RolloutOptions
from reasoner.cli.options.spread import spread_options

__all__ = ["rollouts"]


@spread_options
def rollouts(options: RolloutOptions) -> None:
    """Draw solutions of known problems and judge their steps.

    Continuations from its steps tell where a wrong solution went wrong. The output is JSON Lines,
    one solution a line, and beside it (.features) how uncertain the model was at each step.
    Everything that is done is on disk: the same command goes on after Ctrl-C or a crash.
    """
    from reasoner.cli.commands.data_rollouts_run import write_rollouts  # loads the search

    write_rollouts(options)
