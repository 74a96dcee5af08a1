"""The loop of reinforcement learning: rounds over new problems, with checkpoints."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch

from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.grpo import GrpoRoundReport, GrpoSettings, run_grpo_round
from reasoner.training.llama import Llama
from reasoner.training.run import TrainingRun

__all__ = ["train_by_grpo"]

LEARNING_RATE = 2e-4
SAVE_INTERVAL_ROUNDS = 10


def train_by_grpo(
    run: TrainingRun,
    encoder: Encoder,
    recipe: PathDataRecipe,
    excluded: frozenset[str],
    rounds: int,
    settings: GrpoSettings,
    on_round: Callable[[int, GrpoRoundReport], None],
) -> Llama:
    """Train the run's fine-tuned policy up to `rounds` rounds in all, and return it.

    `on_round` is called after each with its number, from 1. Raises UsageError when the run has no
    trained policy.
    """
    state = run.require_checkpoint()
    model, reference_model = create_model(run, state), create_model(run, None)
    reference_model.load_state_dict(state.get("origin", state["model"]))
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.0
    )
    if "reinforced" in state:
        optimiser.load_state_dict(state["reinforced"])
    for number in range(int(state.get("rounds", 0)), rounds):
        first = number * settings.problems
        tasks = [recipe.sample_task(first + i, excluded) for i in range(settings.problems)]
        seed = Random(f"{recipe.seed}/{number}").randrange(2**31)  # noqa: S311
        report = run_grpo_round(model, reference_model, optimiser, encoder, tasks, settings, seed)
        run.append_log({"round": number + 1, "solved": report.solved, "reward": report.reward})
        on_round(number + 1, report)
        if (number + 1) % SAVE_INTERVAL_ROUNDS == 0 or number + 1 == rounds:
            _save(run, state, model, reference_model, optimiser, number + 1)
    return model


def _save(
    run: TrainingRun,
    state: dict[str, Any],
    model: Llama,
    reference_model: Llama,
    optimiser: torch.optim.Optimizer,
    rounds: int,
) -> None:
    new_state = {
        "model": model.state_dict(),
        "origin": reference_model.state_dict(),
        "reinforced": optimiser.state_dict(),
        "rounds": rounds,
    }
    run.save_checkpoint({**state, **new_state})
