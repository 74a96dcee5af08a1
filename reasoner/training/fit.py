"""The training loop of a policy: warm-up on all tokens, then training on the weighted ones."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as fn

from reasoner.training.llama import Llama
from reasoner.training.optimiser import Optimiser, learning_rate_at
from reasoner.training.run import TrainingPlan, TrainingRun
from reasoner.training.samples import TrainingBatch, TrainingRows, row_batches

__all__ = ["OnStep", "create_model", "train_model", "weighted_loss"]

OnStep = Callable[[int, float, float], None]
"""Called with the step, the mean loss and the tokens per second."""
SAVE_INTERVAL_SECONDS = 60.0
"""Seconds between checkpoints."""
REPORT_INTERVAL_STEPS = 20


def create_model(run: TrainingRun, state: dict[str, Any] | None) -> Llama:
    """Return the run's model, with the weights of `state`, a checkpoint, or new ones for None."""
    model = Llama(run.shape)
    if state is not None:
        model.load_state_dict(state["model"])
    return model


def train_model(run: TrainingRun, rows: TrainingRows, plan: TrainingPlan, on_step: OnStep) -> Llama:
    """Train from the run's checkpoint up to `plan.steps` steps in all, and return the model.

    `on_step` is called every few steps. Checkpoints hold the step but not the rows, which may have
    changed since.
    """
    torch.manual_seed(plan.seed)
    state = run.load_checkpoint()
    model = create_model(run, state)
    optimiser = Optimiser(model, plan.rate)
    first_step = 0
    if state is not None:
        optimiser.load_state_dicts(state["optimiser"])
        first_step = int(state["step"])
    model.train()
    monitor = _TrainingMonitor(run, on_step)
    batches = _batches_from(rows, plan, first_step)
    for step, batch in zip(range(first_step, plan.steps), batches, strict=False):
        loss = weighted_loss(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(learning_rate_at(step, plan.steps, plan.rate, plan.decay))
        is_last = step + 1 == plan.steps
        monitor.add_step(step + 1, loss.item(), batch.tokens.size, is_last=is_last)
        if is_last or monitor.is_save_due():
            weights = {"model": model.state_dict(), "optimiser": optimiser.state_dicts()}
            run.save_checkpoint({**weights, "step": step + 1})
    return model


class _TrainingMonitor:
    """Reports and logs losses and speed, and times the checkpoints."""

    def __init__(self, run: TrainingRun, on_step: OnStep) -> None:
        self._run, self._on_step = run, on_step
        self._losses: list[float] = []
        self._tokens, self._report_time = 0, time.monotonic()
        self._save_time = self._report_time

    def add_step(self, step: int, loss: float, tokens: int, *, is_last: bool) -> None:
        """Count a step; report and log the mean loss every few steps and after the last one."""
        self._losses.append(loss)
        self._tokens += tokens
        if step % REPORT_INTERVAL_STEPS and not is_last:
            return
        speed = self._tokens / (time.monotonic() - self._report_time)
        mean = sum(self._losses) / len(self._losses)
        self._run.append_log(
            {"step": step, "loss": round(mean, 4), "tokens_per_second": round(speed)}
        )
        self._on_step(step, mean, speed)
        self._losses, self._tokens, self._report_time = [], 0, time.monotonic()

    def is_save_due(self) -> bool:
        """Whether the interval between checkpoints has passed; if so, it starts again."""
        now = time.monotonic()
        is_due = now - self._save_time >= SAVE_INTERVAL_SECONDS
        self._save_time = now if is_due else self._save_time
        return is_due


def _batches_from(
    rows: TrainingRows, plan: TrainingPlan, first_step: int
) -> Iterator[TrainingBatch]:
    """Yield the batches from a step on; they do not depend on interruptions before it."""
    warm_up = row_batches(rows, plan.batch, plan.seed, pretraining=True)
    yield from islice(warm_up, min(first_step, plan.warm_up), plan.warm_up)
    fine_tuning = row_batches(rows, plan.batch, plan.seed + 1)
    yield from islice(fine_tuning, max(0, first_step - plan.warm_up), None)


def weighted_loss(model: Llama, batch: TrainingBatch) -> Tensor:
    """Return the weighted mean of the cross-entropy. Logits are computed only for tokens that have
    a weight."""
    tokens, weights = torch.from_numpy(batch.tokens), torch.from_numpy(batch.weights)
    with torch.autocast("cpu", torch.bfloat16):
        states = model(tokens[:, :-1])
        is_target = weights[:, 1:] > 0
        logits = model.logits(states[is_target])
    losses = fn.cross_entropy(logits.float(), tokens[:, 1:][is_target], reduction="none")
    target_weights = weights[:, 1:][is_target]
    return (losses * target_weights).sum() / target_weights.sum().clamp(min=1.0)
