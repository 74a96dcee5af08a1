"""`reasoner train value`: a value head from rollouts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from reasoner.atomic_file import replacing
from reasoner.cli.output.terminal import print_error
from reasoner.errors import UsageError
from reasoner.training.value_head import load_training_solutions, train_value_head
from reasoner.value.head import ValueHead, write_value_head

__all__ = ["value"]

MAX_HEAD_BYTES = 2_000_000


def value(
    data: Annotated[
        list[Path], typer.Argument(metavar="ROLLOUTS", help="What reasoner data rollouts wrote.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The head: a GGUF for --value self --value-head.")
    ],
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**31, help="Fixes the folds.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="The report as JSON on stdout.")] = False,
) -> None:
    """Train a value head on what the model doubted in rollouts.

    Steps, weights and kind of network are chosen by cross-validation over problems; every figure
    of the report is about problems that were held out.
    """
    head, report = train_value_head(load_training_solutions(data), seed, print_error)
    _write_whole(out, head)
    if json:
        print(report.model_dump_json(indent=2))
        return
    sys.stdout.write(
        f"{report.problems} problems, {report.solutions} solutions, {report.steps} steps, "
        f"{report.right:.0%} right\n"
        f"held-out problems: AUC {report.auc:.3f} for steps ({report.auc_sampled:.3f} for the "
        f"policy's own), {report.auc_outcome:.3f} for outcomes ({report.aggregation}), "
        f"calibration error {report.ece:.3f}\n"
    )


def _write_whole(out: Path, head: ValueHead) -> None:
    """Write the head so that `out` is never half a file. Raises UsageError when it is too large."""
    size = sum(weight.size * 2 + bias.size * 4 for weight, bias in head.layers)
    if size > MAX_HEAD_BYTES:
        raise UsageError(f"the head would have {size:,} bytes, more than {MAX_HEAD_BYTES:,}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as draft:
        write_value_head(draft, head)
