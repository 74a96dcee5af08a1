"""Training of a process reward model from a policy's weights.

The model predicts the token `+` or `-` after each step, with the step's label as the probability of
`+`. It has the policy's vocabulary and reads replies as they were generated, as the value format
`steiner-mini` in models.toml says, so that what the policy has learnt about a position is of use.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as fn

from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.labels import Continuation, LabelledReply
from reasoner.training.llama import Llama
from reasoner.training.optimiser import Optimiser, learning_rate_at
from reasoner.training.run import MODEL_FILE, TrainingRun

__all__ = ["train_prm"]

REPLIES_PER_BATCH = 32
BATCHES_PER_POOL = 8
"""Batches whose replies are sorted by length together."""
HELD_OUT_INTERVAL = 20
"""One in so many lines is held out for the measurement."""


@dataclass(frozen=True)
class _LabelledRow:
    """The tokens of prompt and reply, the positions where a value is predicted, and the values."""

    tokens: list[int]
    positions: list[int]
    values: list[float]


def train_prm(
    folder: Path,
    labels: Path,
    out: Path,
    steps: int,
    rate: float,
    seed: int,
    say: Callable[[str], None],
) -> float:
    """Train on the labels, write the GGUF to `out`, and return the held-out ranking accuracy: the
    share of pairs of unequal steps of one reply whose values the model has in the right order.

    `say` is called with a line after each step. Raises UsageError when a line of `labels` cannot be
    read.
    """
    run = TrainingRun(folder)
    random = Random(seed)  # noqa: S311
    with Encoder(folder / MODEL_FILE) as encoder:
        held_out_rows, training_rows = _load_rows(labels, encoder)
        signs = (encoder.encode("+")[0], encoder.encode("-")[0])
    model = create_model(run, run.load_checkpoint())
    optimiser = Optimiser(model, rate)
    torch.manual_seed(seed)
    batches = _batches(training_rows, random)
    for step, batch in zip(range(steps), batches, strict=False):
        loss = _loss(model, batch, signs)
        torch.autograd.backward(loss)
        optimiser.step(learning_rate_at(step, steps, rate, 0.7))
        say(f"step {step + 1} of {steps} · loss {loss.item():.4f}")
    run.export_gguf(out, model.state_dict())
    return _ranking_accuracy(model, held_out_rows, signs)


def _load_rows(
    labels: Path, encoder: Encoder
) -> tuple[list[_LabelledRow], list[list[_LabelledRow]]]:
    """Return the held-out replies, and for each other question its reply and continuations."""
    replies = list(_labelled_replies(labels))
    held_out_rows = [
        _labelled_row(reply.question, reply.reply, encoder)
        for reply in replies[::HELD_OUT_INTERVAL]
    ]
    training_rows = [
        [
            _labelled_row(reply.question, continuation, encoder)
            for continuation in (reply.reply, *reply.others)
        ]
        for index, reply in enumerate(replies)
        if index % HELD_OUT_INTERVAL
    ]
    return held_out_rows, training_rows


def _labelled_replies(path: Path) -> Iterator[LabelledReply]:
    """Yield the lines of a file of labels. Raises UsageError for an incomplete or other line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield LabelledReply.model_validate_json(line)
            except ValueError:
                raise UsageError(
                    f"{path}, line {number} is no labelled reply; delete the line, or the file"
                ) from None


def _batches(
    rows: Sequence[Sequence[_LabelledRow]], random: Random
) -> Iterator[Sequence[_LabelledRow]]:
    """Yield batches of similar length without end.

    A question is sampled first and then one of its rows, so that a question with many continuations
    does not count for more.
    """
    while True:
        pool = [
            random.choice(random.choice(rows)) for _ in range(BATCHES_PER_POOL * REPLIES_PER_BATCH)
        ]
        pool.sort(key=lambda row: len(row.tokens))
        batches = [
            pool[start : start + REPLIES_PER_BATCH]
            for start in range(0, len(pool), REPLIES_PER_BATCH)
        ]
        random.shuffle(batches)
        yield from batches


def _labelled_row(question: str, continuation: Continuation, encoder: Encoder) -> _LabelledRow:
    """Return the row of a reply. A step's value is predicted at its end and at the decision after
    it, the answer's at its last token."""
    prompt = encoder.encode_prompt(question)
    step_end = encoder.control_ids["reasoning_step_end"]
    answer_start = encoder.control_ids["reasoning_end"]
    reply = list(continuation.tokens)
    if reply[-1] == encoder.control_ids["im_end"]:
        reply.pop()
    tokens = [*prompt, *reply]
    positions, values = list[int](), list[float]()
    remaining_values = iter(continuation.values)
    for position, token in enumerate(reply, len(prompt)):
        if token == step_end:
            value = next(remaining_values)
            positions += [position, position + 1] if position + 1 < len(tokens) else [position]
            values += [value] * (len(positions) - len(values))
    if answer_start in reply[:-1]:  # the answer is not empty
        positions.append(len(tokens) - 1)
        values.append(next(remaining_values))
    return _LabelledRow(tokens, positions, values)


def _loss(model: Llama, rows: Sequence[_LabelledRow], signs: tuple[int, int]) -> Tensor:
    """Return the mean binary cross-entropy over all positions."""
    logits = _logits(model, rows, signs)
    values = torch.tensor([value for row in rows for value in row.values])
    return fn.binary_cross_entropy_with_logits(logits, values)


def _logits(model: Llama, rows: Sequence[_LabelledRow], signs: tuple[int, int]) -> Tensor:
    """Return the logit of `+` less that of `-` at all positions of all rows, (positions,)."""
    length = max(len(row.tokens) for row in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    is_position = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row.tokens)] = torch.tensor(row.tokens)
        is_position[index, row.positions] = True
    with torch.autocast("cpu", torch.bfloat16):
        logits = model.logits(model(tokens)[is_position])
    return logits[:, signs[0]].float() - logits[:, signs[1]].float()


def _ranking_accuracy(model: Llama, rows: Sequence[_LabelledRow], signs: tuple[int, int]) -> float:
    right, pairs = 0, 0
    with torch.no_grad():
        for row in rows:
            logits = _logits(model, [row], signs).tolist()
            for better, worse in _unequal_pairs(row.values, logits):
                right, pairs = right + (better > worse), pairs + 1
    return right / max(1, pairs)


def _unequal_pairs(
    values: Sequence[float], logits: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Yield the logits of every pair of positions with unequal values, the better one first."""
    for i, value in enumerate(values):
        for j, other_value in enumerate(values):
            if value > other_value:
                yield logits[i], logits[j]
