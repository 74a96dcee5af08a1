"""The training loop: warm-up on every token, then on what the model will draw itself."""

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
"""Told the step, the mean loss and the tokens per second."""
SAVE_INTERVAL_SECONDS = 60.0
"""Seconds between checkpoints: what a run loses at most when it is killed."""
REPORT_INTERVAL_STEPS = 20


def create_model(run: TrainingRun, state: dict[str, Any] | None) -> Llama:
    """The run's model, with the checkpoint's weights if there is one."""
    model = Llama(run.shape)
    if state is not None:
        model.load_state_dict(state["model"])
    return model


def train_model(run: TrainingRun, rows: TrainingRows, plan: TrainingPlan, on_step: OnStep) -> Llama:
    """Train up to `plan.steps`, going on from the run's checkpoint. Rows may have changed since:
    only the step counts."""
    torch.manual_seed(plan.seed)
    state = run.load_checkpoint()
    model = create_model(run, state)
    optimiser = Optimiser(model, plan.rate)
    done = 0
    if state is not None:
        optimiser.load_state_dicts(state["optimiser"])
        done = int(state["step"])
    model.train()
    journal = _Journal(run, on_step)
    for step, batch in zip(range(done, plan.steps), _stream(rows, plan, done), strict=False):
        loss = weighted_loss(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(learning_rate_at(step, plan.steps, plan.rate, plan.decay))
        last = step + 1 == plan.steps
        journal.note(step + 1, loss.item(), batch.tokens.size, last)
        if last or journal.save_due():
            weights = {"model": model.state_dict(), "optimiser": optimiser.state_dicts()}
            run.save_checkpoint({**weights, "step": step + 1})
    return model


class _Journal:
    """What is told and written down while a run goes on."""

    def __init__(self, run: TrainingRun, on_step: OnStep) -> None:
        self._run, self._on_step = run, on_step
        self._losses: list[float] = []
        self._tokens, self._began = 0, time.monotonic()
        self._saved = self._began

    def note(self, step: int, loss: float, tokens: int, last: bool) -> None:
        self._losses.append(loss)
        self._tokens += tokens
        if step % REPORT_INTERVAL_STEPS and not last:
            return
        speed = self._tokens / (time.monotonic() - self._began)
        mean = sum(self._losses) / len(self._losses)
        self._run.append_log(
            {"step": step, "loss": round(mean, 4), "tokens_per_second": round(speed)}
        )
        self._on_step(step, mean, speed)
        self._losses, self._tokens, self._began = [], 0, time.monotonic()

    def save_due(self) -> bool:
        now = time.monotonic()
        due = now - self._saved >= SAVE_INTERVAL_SECONDS
        self._saved = now if due else self._saved
        return due


def _stream(rows: TrainingRows, plan: TrainingPlan, done: int) -> Iterator[TrainingBatch]:
    """The batches from step `done` on, which are the same whether or not the run was cut off."""
    first = row_batches(rows, plan.batch, plan.seed, pretraining=True)
    yield from islice(first, min(done, plan.warm_up), plan.warm_up)
    yield from islice(
        row_batches(rows, plan.batch, plan.seed + 1), max(0, done - plan.warm_up), None
    )


def weighted_loss(model: Llama, batch: TrainingBatch) -> Tensor:
    """The mean cross-entropy of the weighted tokens; only their logits are computed."""
    tokens, weights = torch.from_numpy(batch.tokens), torch.from_numpy(batch.weights)
    with torch.autocast("cpu", torch.bfloat16):
        states = model(tokens[:, :-1])
        learnt = weights[:, 1:] > 0
        logits = model.logits(states[learnt])
    losses = fn.cross_entropy(logits.float(), tokens[:, 1:][learnt], reduction="none")
    share = weights[:, 1:][learnt]
    return (losses * share).sum() / share.sum().clamp(min=1.0)
