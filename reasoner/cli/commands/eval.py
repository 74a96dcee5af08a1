"""`reasoner eval`: what a model and its settings are worth on questions with known answers."""

from reasoner.cli.options.eval import EvalOptions
from reasoner.cli.options.run import RunOptions
from reasoner.cli.options.spread import spread_options

__all__ = ["evaluate_settings"]


@spread_options
def evaluate_settings(evaluation: EvalOptions, run: RunOptions) -> None:
    """Measure and compare settings on questions with known answers.

    Each question is answered as `ask` would, without its known answer; then the answer is compared
    with it. Printed are accuracy with its 95 % interval, tokens and seconds, paired wins and
    losses with the p of a sign test, how often each status was right, and the calibration error of
    the confidence.

    With --out the same command goes on where it was stopped, and DIR gets report.md, report.html
    (plots inside), report.json and the records of every question.
    """
    from reasoner.cli.commands.eval_run import run_evaluation  # loads the whole search

    run_evaluation(evaluation, run)
