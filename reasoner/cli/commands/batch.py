"""`reasoner batch`: many questions, answered together by one model."""

from reasoner.cli.options.batch import BatchOptions
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.spread import spread_options

__all__ = ["batch"]


@spread_options
def batch(batch: BatchOptions, run: RunOptions) -> None:
    """Answer many questions at once, each as a line of JSON.

    An item has a question (or prompt, or problem) and perhaps id, system, expect, tests,
    entry_point. Its line of output is what `ask --json` prints, with the id in front (without one:
    made from line and content); or id, line and error, which does not stop the run.

    With --out the same command goes on where it was stopped, by Ctrl-C or anything else: each item
    is in the file exactly once. To have errors tried again, delete their lines.
    """
    from reasoner.cli.commands.batch_run import answer_items  # loads the whole search

    answer_items(batch, run)
