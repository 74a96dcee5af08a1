"""A process reward model of our own: the policy's weights, taught that `+` or `-` follows each
step, as soft as its label. It reads the policy's own tokens, as the value format `steiner-mini` in
models.toml says, so that what the policy knows at that place need not be learnt anew."""

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

REPLIES_PER_BATCH, BATCHES_PER_POOL = 32, 8
"""Replies in a batch, and batches that are sorted by length together."""
HELD_OUT_INTERVAL = 20
"""Every so many lines is kept to measure on."""


@dataclass(frozen=True)
class _Row:
    tokens: list[int]
    places: list[int]
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
    """Train on the labels and write the GGUF; return the share of held-out pairs of steps of one
    reply, one better than the other, that it puts in the right order."""
    run = TrainingRun(folder)
    random = Random(seed)  # noqa: S311
    lines = list(_labelled(labels))
    with Encoder(folder / MODEL_FILE) as encoder:
        held = [_row(line.question, line.reply, encoder) for line in lines[::HELD_OUT_INTERVAL]]
        kept = [line for at, line in enumerate(lines) if at % HELD_OUT_INTERVAL]
        rows = [
            [_row(line.question, way, encoder) for way in (line.reply, *line.others)]
            for line in kept
        ]
        signs = (encoder.encode("+")[0], encoder.encode("-")[0])
    model = create_model(run, run.load_checkpoint())
    optimiser = Optimiser(model, rate)
    torch.manual_seed(seed)
    for step, batch in zip(range(steps), _batches(rows, random), strict=False):
        loss = _loss(model, batch, signs)
        torch.autograd.backward(loss)
        optimiser.step(learning_rate_at(step, steps, rate, 0.7))
        say(f"step {step + 1} of {steps} · loss {loss.item():.4f}")
    run.export_gguf(out, model.state_dict())
    return _order(model, held, signs)


def _labelled(path: Path) -> Iterator[LabelledReply]:
    """Raises UsageError where a line was cut off, or written by another version."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield LabelledReply.model_validate_json(line)
            except ValueError:
                raise UsageError(
                    f"{path}, line {number} is no labelled reply; delete the line, or the file"
                ) from None


def _batches(rows: Sequence[Sequence[_Row]], random: Random) -> Iterator[Sequence[_Row]]:
    """Without end: questions by chance and one of their ways by chance, so that a long search for
    nothing does not count for more than a short one that found; of about a length in a batch."""
    while True:
        drawn = [
            random.choice(random.choice(rows)) for _ in range(BATCHES_PER_POOL * REPLIES_PER_BATCH)
        ]
        drawn.sort(key=lambda row: len(row.tokens))
        batches = [
            drawn[start : start + REPLIES_PER_BATCH]
            for start in range(0, len(drawn), REPLIES_PER_BATCH)
        ]
        random.shuffle(batches)
        yield from batches


def _row(question: str, way: Continuation, encoder: Encoder) -> _Row:
    """The score stands at the end of a step, and also at the decision behind it."""
    prompt = encoder.encode_prompt(question)
    end, answer = encoder.control_ids["reasoning_step_end"], encoder.control_ids["reasoning_end"]
    written = list(way.tokens)
    if written[-1] == encoder.control_ids["im_end"]:
        written.pop()
    places, values, left = list[int](), list[float](), iter(way.values)
    for at, token in enumerate(written, len(prompt)):
        if token == end:
            value = next(left)
            places += [at, at + 1] if at + 1 < len(prompt) + len(written) else [at]
            values += [value] * (len(places) - len(values))
    if answer in written[:-1]:  # and something is said behind it
        places.append(len(prompt) + len(written) - 1)
        values.append(next(left))
    return _Row([*prompt, *written], places, values)


def _loss(model: Llama, rows: Sequence[_Row], signs: tuple[int, int]) -> Tensor:
    logits = _logits(model, rows, signs)
    values = torch.tensor([value for row in rows for value in row.values])
    return fn.binary_cross_entropy_with_logits(logits, values)


def _logits(model: Llama, rows: Sequence[_Row], signs: tuple[int, int]) -> Tensor:
    """`+` against `-` at every place of every row, in one row."""
    length = max(len(row.tokens) for row in rows)
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    places = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        tokens[index, : len(row.tokens)] = torch.tensor(row.tokens)
        places[index, row.places] = True
    with torch.autocast("cpu", torch.bfloat16):
        logits = model.logits(model(tokens)[places])
    return logits[:, signs[0]].float() - logits[:, signs[1]].float()


def _order(model: Llama, rows: Sequence[_Row], signs: tuple[int, int]) -> float:
    right, pairs = 0, 0
    with torch.no_grad():
        for row in rows:
            for better, worse in _pairs(row.values, _logits(model, [row], signs).tolist()):
                right, pairs = right + (better > worse), pairs + 1
    return right / max(1, pairs)


def _pairs(values: Sequence[float], found: Sequence[float]) -> Iterator[tuple[float, float]]:
    for i, value in enumerate(values):
        for j, other in enumerate(values):
            if value > other:
                yield found[i], found[j]
