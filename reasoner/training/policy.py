"""`reasoner train policy` from data files to a GGUF; the command only calls this."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import torch

from reasoner.datagen.puzzles.stream import Recipe
from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder
from reasoner.training.fit import fit, open_model
from reasoner.training.grpo import Reinforcement
from reasoner.training.reinforce import reinforce
from reasoner.training.run import MODEL, Plan, Run
from reasoner.training.samples import Rows, parse

__all__ = ["train_by_reward", "train_on_data"]

Say = Callable[[str], None]
LEARNT_FROM = 3000
"""Lines of the first file from which the vocabulary is learnt."""


def train_on_data(folder: Path, data: Sequence[Path], plan: Plan, say: Say) -> Path:
    """Warm up and fine-tune, going on with the run in `folder` if there is one; return the GGUF."""
    run = Run(folder)
    if not run.begun:
        run.begin(plan.width, [parse(data[0], line) for line in _first_lines(data[0])])
    if run.shape.width != plan.width:
        raise UsageError(f"{folder} was begun with width {run.shape.width}; choose another folder")
    path = folder / MODEL
    if not path.is_file():
        torch.manual_seed(plan.seed)
        run.export(path, open_model(run, None).state_dict())
    with Encoder(path) as encoder:
        rows = Rows(data, encoder, plan.longest)
        if not len(rows):
            raise UsageError(f"{data[0]} holds no paths")
        model = fit(run, rows, plan, lambda *said: say(_line(plan.steps, *said)))
    return run.export(path, model.state_dict())


def train_by_reward(
    folder: Path, recipe: Recipe, excluded: frozenset[str], rounds: int, say: Say
) -> Path:
    """Reinforce the run's policy on fresh problems; return the GGUF."""
    run = Run(folder)
    with Encoder(folder / MODEL) as encoder:
        model = reinforce(
            run,
            encoder,
            recipe,
            excluded,
            rounds,
            Reinforcement(),
            lambda number, made: say(
                f"round {number} of {rounds} · {made.solved:.0%} solved · reward {made.reward:.3f}"
            ),
        )
    return run.export(folder / MODEL, model.state_dict())


def _first_lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return list(islice(file, LEARNT_FROM))


def _line(steps: int, step: int, loss: float, speed: float) -> str:
    return f"step {step} of {steps} · loss {loss:.4f} · {speed:.0f} tokens/s"
