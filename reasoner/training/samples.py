"""Training data as rows of tokens, with a weight in the loss for each token.

Tokens that the model will sample have weight 1. Weight 0 have the prompt, control tokens that the
controller forces, the moves of wrong steps, and false beliefs. The results and true reflections of
wrong steps keep weight 1, so the model learns to recognise wrong moves but not to make them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from reasoner.datagen.puzzles.record import PathRecord
from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder

__all__ = ["TrainingBatch", "TrainingRow", "TrainingRows", "row_batches"]

Tokens = npt.NDArray[np.int16]
Weights = npt.NDArray[np.float16]
POOL_ROWS = 2048
"""Rows that are sorted by length together, to save padding."""
SPARE_ROW_TOKENS = 16
"""Tokens of a row, about, that follow neither a control token's mark nor a blank."""
OUTCOME_STARTS = ("=", ":")
"""Tokens at which a move's text passes from the choice to its result."""


@dataclass(frozen=True)
class TrainingRow:
    """The tokens of a prompt and its reply, and the weight of each in the loss."""

    tokens: Tokens
    weights: Weights
    """The weight of each token as a target; the first one is never a target."""


@dataclass(frozen=True)
class TrainingBatch:
    """Rows padded to one length, (rows, length)."""

    tokens: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


class TrainingRows(Sequence[TrainingRow]):
    """The rows of data files, each encoded on first use and cut off after `max_row_tokens`."""

    def __init__(self, paths: Sequence[Path], encoder: Encoder, max_row_tokens: int) -> None:
        self._lines = [(path, line) for path in paths for line in _lines(path)]
        self._encoder, self._max_row_tokens = encoder, max_row_tokens
        self._encoded_rows: dict[int, TrainingRow] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: Any) -> Any:
        if index not in self._encoded_rows:
            row = encode_record(parse_path_record(*self._lines[index]), self._encoder)
            self._encoded_rows[index] = TrainingRow(
                row.tokens[: self._max_row_tokens], row.weights[: self._max_row_tokens]
            )
        return self._encoded_rows[index]

    def estimated_length(self, index: int) -> int:
        """Estimate a row's tokens without encoding it, from its control tokens and words."""
        line = self._lines[index][1]
        return min(self._max_row_tokens, line.count("<|") + line.count(" ") + SPARE_ROW_TOKENS)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file. Raises UsageError when it is no text."""
    try:
        return [line for line in path.read_text("utf-8").split("\n") if line]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} holds no paths of `reasoner data`: {error}") from error


def parse_path_record(path: Path, line: str) -> PathRecord:
    """Return the record of a line of `path`. Raises UsageError when it is none."""
    try:
        return PathRecord.model_validate_json(line)
    except ValueError as error:
        raise UsageError(f"{path} holds a line that is no path of `reasoner data`") from error


def encode_record(record: PathRecord, encoder: Encoder) -> TrainingRow:
    """Return the row of a record."""
    prompt = encoder.encode_prompt(record.question)
    reply = [*encoder.encode(record.reply), encoder.control_ids["im_end"]]
    weights = [0.0] * len(prompt) + reply_weights(record, reply, encoder)
    return TrainingRow(np.array(prompt + reply, np.int16), np.array(weights, np.float16))


def reply_weights(record: PathRecord, reply: Sequence[int], encoder: Encoder) -> list[float]:
    """Return the weight of each token of a record's reply."""
    ids = encoder.control_ids
    forced_tokens = {
        token
        for name, token in ids.items()
        if name.endswith("_start") or name == "reasoning_step_end"
    }
    outcome_starts = {encoder.encode(f"0 {mark}")[1] for mark in OUTCOME_STARTS}
    weights = [0.0 if token in forced_tokens else 1.0 for token in reply]
    step, is_excluded = -1, False
    for index, token in enumerate(reply):
        step += token == ids["reasoning_step_start"]
        if token == ids["reasoning_step_thought_start"]:
            is_excluded = not record.steps[step].right
        elif token == ids["reasoning_step_reflection_start"]:
            is_excluded = not record.steps[step].honest
        elif token in outcome_starts or token in ids.values():
            is_excluded = False
        if is_excluded or (record.landed and token == ids["reasoning_end"]):
            weights[index] = 0.0
    return weights


def row_batches(
    rows: TrainingRows, max_tokens: int, seed: int, *, pretraining: bool = False
) -> Iterator[TrainingBatch]:
    """Yield batches of at most about `max_tokens` tokens, padding included, without end.

    The seed determines all of them. With `pretraining` every token has weight 1, those of prompts
    and forced control tokens too.
    """
    epoch = 0
    while True:
        random = Random(f"{seed}/{epoch}")  # noqa: S311
        order = random.sample(range(len(rows)), len(rows))
        groups: list[list[int]] = []
        for start in range(0, len(order), POOL_ROWS):
            pool = sorted(order[start : start + POOL_ROWS], key=rows.estimated_length)
            groups += _row_groups(pool, rows, max_tokens)
        random.shuffle(groups)
        yield from (_padded([rows[i] for i in group], pretraining) for group in groups)
        epoch += 1


def _row_groups(pool: Sequence[int], rows: TrainingRows, max_tokens: int) -> Iterator[list[int]]:
    """Yield groups of rows of a pool sorted by length, each at most `max_tokens` when padded."""
    group: list[int] = []
    for index in pool:
        if group and (len(group) + 1) * rows.estimated_length(index) > max_tokens:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _padded(rows: Sequence[TrainingRow], pretraining: bool) -> TrainingBatch:
    length = max(len(row.tokens) for row in rows)
    tokens = np.zeros((len(rows), length), np.int64)
    weights = np.zeros((len(rows), length), np.float32)
    for index, row in enumerate(rows):
        tokens[index, : len(row.tokens)] = row.tokens
        weights[index, : len(row.tokens)] = 1.0 if pretraining else row.weights
    return TrainingBatch(tokens, weights)
