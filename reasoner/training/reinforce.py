"""The loop of reinforcement learning: rounds of fresh problems, with checkpoints."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch

from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.grpo import GrpoRound, GrpoSettings, grpo_update
from reasoner.training.llama import Llama
from reasoner.training.run import TrainingRun

__all__ = ["train_by_grpo"]

RATE = 2e-4
SAVE_EVERY = 10


def train_by_grpo(
    run: TrainingRun,
    encoder: Encoder,
    recipe: PathDataRecipe,
    excluded: frozenset[str],
    rounds: int,
    how: GrpoSettings,
    on_round: Callable[[int, GrpoRound], None],
) -> Llama:
    """Go on from the run's fine-tuned policy for up to `rounds` rounds in all. Raises UsageError
    when there is none."""
    state = run.load()
    if state is None:
        raise UsageError(
            f"{run.folder} has no trained policy yet; run `reasoner train policy` first"
        )
    model, origin = create_model(run, state), create_model(run, None)
    origin.load_state_dict(state.get("origin", state["model"]))
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    if "reinforced" in state:
        optimiser.load_state_dict(state["reinforced"])
    for round_ in range(int(state.get("rounds", 0)), rounds):
        first = round_ * how.problems
        tasks = [recipe.task(first + i, excluded) for i in range(how.problems)]
        seed = Random(f"{recipe.seed}/{round_}").randrange(2**31)  # noqa: S311
        made = grpo_update(model, origin, optimiser, encoder, tasks, how, seed)
        run.log({"round": round_ + 1, "solved": made.solved, "reward": made.reward})
        on_round(round_ + 1, made)
        if (round_ + 1) % SAVE_EVERY == 0 or round_ + 1 == rounds:
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
    run.save({**state, **own})
