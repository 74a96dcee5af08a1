"""Data files as rows of tokens, each with a weight that says how much it is to be learnt.

Learnt are the tokens that the model will draw itself: not the prompt, not the marks that the
controller forces, and of a wrong step neither the move nor a belief that was false, while its
arithmetic and its true verdict are. So wrong turns are seen, and seen through, but not imitated.
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
"""Rows that are sorted by length together, so that little of a batch is padding."""
SPARE_ROW_TOKENS = 16
"""Tokens of a row that neither a mark nor a blank announces."""
OUTCOME_STARTS = ("=", ":")
"""What a move's outcome begins with: before it stands the choice, from it on the working out."""


@dataclass(frozen=True)
class TrainingRow:
    """One prompt with its reply."""

    tokens: Tokens
    weights: Weights
    """Of each token as a prediction; the first of all is never predicted."""


@dataclass(frozen=True)
class TrainingBatch:
    """Rows padded to one length."""

    tokens: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]


class TrainingRows(Sequence[TrainingRow]):
    """The rows of data files, encoded when they are first asked for; what exceeds `longest` tokens
    is cut off."""

    def __init__(self, paths: Sequence[Path], encoder: Encoder, max_row_tokens: int) -> None:
        self._lines = [(path, line) for path in paths for line in _lines(path)]
        self._encoder, self._longest = encoder, max_row_tokens
        self._known: dict[int, TrainingRow] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: Any) -> Any:
        if index not in self._known:
            row = encode_record(parse_path_record(*self._lines[index]), self._encoder)
            kept = TrainingRow(row.tokens[: self._longest], row.weights[: self._longest])
            self._known[index] = kept
        return self._known[index]

    def estimated_length(self, index: int) -> int:
        """About how many tokens a row has, without encoding it: its marks and its words."""
        line = self._lines[index][1]
        return min(self._longest, line.count("<|") + line.count(" ") + SPARE_ROW_TOKENS)


def _lines(path: Path) -> list[str]:
    """Raises UsageError where the file is no text."""
    try:
        return [line for line in path.read_text("utf-8").split("\n") if line]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} holds no paths of `reasoner data`: {error}") from error


def parse_path_record(path: Path, line: str) -> PathRecord:
    """Raises UsageError for a line that is no path."""
    try:
        return PathRecord.model_validate_json(line)
    except ValueError as error:
        raise UsageError(f"{path} holds a line that is no path of `reasoner data`") from error


def encode_record(record: PathRecord, encoder: Encoder) -> TrainingRow:
    prompt = encoder.encode_prompt(record.question)
    reply = [*encoder.encode(record.reply), encoder.control_ids["im_end"]]
    weights = [0.0] * len(prompt) + reply_weights(record, reply, encoder)
    return TrainingRow(np.array(prompt + reply, np.int16), np.array(weights, np.float16))


def reply_weights(record: PathRecord, reply: Sequence[int], encoder: Encoder) -> list[float]:
    """The weight of each token of a reply."""
    ids = encoder.control_ids
    forced = {
        id for name, id in ids.items() if name.endswith("_start") or name == "reasoning_step_end"
    }
    said = {encoder.encode(f"0 {mark}")[1] for mark in OUTCOME_STARTS}
    weights = [0.0 if token in forced else 1.0 for token in reply]
    step, hidden = -1, False
    for index, token in enumerate(reply):
        step += token == ids["reasoning_step_start"]
        if token == ids["reasoning_step_thought_start"]:
            hidden = not record.steps[step].right
        elif token == ids["reasoning_step_reflection_start"]:
            hidden = not record.steps[step].honest
        elif token in said or token in ids.values():
            hidden = False
        if hidden or (record.landed and token == ids["reasoning_end"]):
            weights[index] = 0.0
    return weights


def row_batches(
    rows: TrainingRows, max_tokens: int, seed: int, *, pretraining: bool = False
) -> Iterator[TrainingBatch]:
    """Batches of at most `tokens` tokens, padding included, for ever; the seed fixes all of them.

    `whole` learns every token alike, prompts and marks too, as pre-training does.
    """
    epoch = 0
    while True:
        random = Random(f"{seed}/{epoch}")  # noqa: S311
        order = random.sample(range(len(rows)), len(rows))
        groups: list[list[int]] = []
        for start in range(0, len(order), POOL_ROWS):
            pool = sorted(order[start : start + POOL_ROWS], key=rows.estimated_length)
            groups += _cut(pool, rows, max_tokens)
        random.shuffle(groups)
        yield from (_padded([rows[i] for i in group], pretraining) for group in groups)
        epoch += 1


def _cut(pool: Sequence[int], rows: TrainingRows, tokens: int) -> Iterator[list[int]]:
    """Groups of rows, ascending in length, none larger than `tokens` once it is padded."""
    group: list[int] = []
    for index in pool:
        if group and (len(group) + 1) * rows.estimated_length(index) > tokens:
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _padded(rows: Sequence[TrainingRow], whole: bool) -> TrainingBatch:
    length = max(len(row.tokens) for row in rows)
    tokens = np.zeros((len(rows), length), np.int64)
    weights = np.zeros((len(rows), length), np.float32)
    for index, row in enumerate(rows):
        tokens[index, : len(row.tokens)] = row.tokens
        weights[index, : len(row.tokens)] = 1.0 if whole else row.weights
    return TrainingBatch(tokens, weights)
