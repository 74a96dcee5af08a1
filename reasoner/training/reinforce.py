"""The loop of reinforcement learning: rounds of fresh problems, with checkpoints."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch

from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.errors import UsageError
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
    """Go on from the run's fine-tuned policy for up to `rounds` rounds in all. Raises UsageError
    when there is none."""
    state = run.load_checkpoint()
    if state is None:
        raise UsageError(
            f"{run.folder} has no trained policy yet; run `reasoner train policy` first"
        )
    model, origin = create_model(run, state), create_model(run, None)
    origin.load_state_dict(state.get("origin", state["model"]))
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.0
    )
    if "reinforced" in state:
        optimiser.load_state_dict(state["reinforced"])
    for round_ in range(int(state.get("rounds", 0)), rounds):
        first = round_ * settings.problems
        tasks = [recipe.sample_task(first + i, excluded) for i in range(settings.problems)]
        seed = Random(f"{recipe.seed}/{round_}").randrange(2**31)  # noqa: S311
        made = run_grpo_round(model, origin, optimiser, encoder, tasks, settings, seed)
        run.append_log({"round": round_ + 1, "solved": made.solved, "reward": made.reward})
        on_round(round_ + 1, made)
        if (round_ + 1) % SAVE_INTERVAL_ROUNDS == 0 or round_ + 1 == rounds:
            _save(run, state, model, origin, optimiser, round_ + 1)
    return model


def _save(
    run: TrainingRun,
    state: dict[str, Any],
    model: Llama,
    origin: Llama,
    optimiser: torch.optim.Optimizer,
    rounds: int,
) -> None:
    own = {
        "model": model.state_dict(),
        "origin": origin.state_dict(),
        "reinforced": optimiser.state_dict(),
        "rounds": rounds,
    }
    run.save_checkpoint({**state, **own})
