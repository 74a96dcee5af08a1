"""The stages of `reasoner train policy`, from data files to a GGUF."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch

from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model, train_model
from reasoner.training.grpo import GrpoRoundReport, GrpoSettings
from reasoner.training.reinforce import train_by_grpo
from reasoner.training.run import MODEL_FILE, TrainingPlan, TrainingRun
from reasoner.training.samples import TrainingRows, parse_path_record

__all__ = ["train_by_reward", "train_on_data"]

ReportLine = Callable[[str], None]
VOCABULARY_SAMPLE_LINES = 3000
"""Lines of the first data file from which the vocabulary is learnt."""


def train_on_data(folder: Path, data: Sequence[Path], plan: TrainingPlan, say: ReportLine) -> Path:
    """Warm up and fine-tune a policy, or continue the run in `folder`; return the path of its GGUF.

    `say` is called with lines that report the progress. Raises UsageError when the run in `folder`
    has another width, or `data` has no paths.
    """
    run = TrainingRun(folder)
    if not run.exists:
        run.create(plan.width, [parse_path_record(data[0], line) for line in _first_lines(data[0])])
    if run.shape.width != plan.width:
        raise UsageError(f"{folder} was begun with width {run.shape.width}; choose another folder")
    path = folder / MODEL_FILE
    if not path.is_file():
        torch.manual_seed(plan.seed)
        run.export_gguf(path, create_model(run, None).state_dict())
    with Encoder(path) as encoder:
        rows = TrainingRows(data, encoder, plan.max_row_tokens)
        if not len(rows):
            raise UsageError(f"{data[0]} holds no paths")
        model = train_model(
            run, rows, plan, lambda *progress: say(_progress_line(plan.steps, *progress))
        )
    return run.export_gguf(path, model.state_dict())


def train_by_reward(
    folder: Path, recipe: PathDataRecipe, excluded: frozenset[str], rounds: int, say: ReportLine
) -> Path:
    """Train the run's policy by GRPO on new problems; return the path of its GGUF.

    Raises UsageError when the run has no trained policy.
    """
    run = TrainingRun(folder)

    def report_round(number: int, report: GrpoRoundReport) -> None:
        share, reward = f"{report.solved:.0%} solved", f"reward {report.reward:.3f}"
        say(f"round {number} of {rounds} · {share} · {reward}")

    with Encoder(folder / MODEL_FILE) as encoder:
        model = train_by_grpo(run, encoder, recipe, excluded, rounds, GrpoSettings(), report_round)
    return run.export_gguf(folder / MODEL_FILE, model.state_dict())


def _first_lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return list(islice(file, VOCABULARY_SAMPLE_LINES))


def _progress_line(steps: int, step: int, loss: float, speed: float) -> str:
    return f"step {step} of {steps} · loss {loss:.4f} · {speed:.0f} tokens/s"
