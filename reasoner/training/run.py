"""The folder of a training run: its vocabulary and shape, its latest checkpoint and its log."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoner.atomic_file import replacing, write_atomically
from reasoner.datagen.puzzles.record import PathRecord
from reasoner.errors import UsageError
from reasoner.training.export import Precision, write_gguf
from reasoner.training.shape import ModelShape
from reasoner.training.vocabulary import CONTROL_TOKENS, build_vocabulary

__all__ = ["TrainingPlan", "TrainingRun"]

RUN_FILE, CHECKPOINT_FILE, LOG_FILE, MODEL_FILE = (
    "run.json",
    "checkpoint.pt",
    "log.jsonl",
    "policy.gguf",
)


class TrainingPlan(BaseModel):
    """How a policy is trained. `width` determines its size; the learning rate is `rate` and falls
    to zero over the last `decay` of the steps."""

    model_config = ConfigDict(frozen=True)

    width: int = 192
    steps: Annotated[int, Field(ge=1)] = 6000
    warm_up: Annotated[int, Field(ge=0)] = 300
    """Steps of training on all tokens, with which the control tokens get their embeddings."""
    batch: Annotated[int, Field(ge=64)] = 4096
    """Tokens in a step, padding included."""
    max_row_tokens: Annotated[int, Field(ge=32)] = 1280
    """Tokens after which a path is cut off."""
    rate: Annotated[float, Field(gt=0)] = 3e-3
    decay: Annotated[float, Field(ge=0, le=1)] = 0.4
    seed: int = 0


class TrainingRun:
    """The files of one run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def exists(self) -> bool:
        """Whether the run has been created."""
        return (self.folder / RUN_FILE).is_file()

    def create(self, width: int, records: list[PathRecord]) -> None:
        """Learn the vocabulary from `records` and write it with the model's shape. A run that
        exists stays as it is."""
        if self.exists:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        texts = [text for r in records for text in (f"user\n{r.question}\nassistant", r.reply)]
        plain, merges = build_vocabulary(texts)
        shape = ModelShape(width=width, vocabulary=len(plain) + len(CONTROL_TOKENS))
        contents = {"shape": shape.model_dump(), "plain": plain, "merges": merges}
        write_atomically(self.folder / RUN_FILE, json.dumps(contents, ensure_ascii=False))

    @property
    def shape(self) -> ModelShape:
        """The shape of the model. Raises UsageError when the folder has no run."""
        return ModelShape.model_validate(self._contents()["shape"])

    def _contents(self) -> Any:
        try:
            return json.loads((self.folder / RUN_FILE).read_text("utf-8"))
        except (OSError, ValueError, ValidationError) as error:
            raise UsageError(f"{self.folder} is no training run: {error}") from error

    def export_gguf(
        self, path: Path, weights: dict[str, Any], precision: Precision = "q8_0"
    ) -> Path:
        """Write a model with these weights as a GGUF, and return its path."""
        contents = self._contents()
        vocabulary = (contents["plain"], [tuple(merge) for merge in contents["merges"]])
        arrays = {key: value.float().numpy() for key, value in weights.items()}
        return write_gguf(path, self.shape, arrays, vocabulary, name=path.stem, precision=precision)

    def append_log(self, entry: dict[str, Any]) -> None:
        """Append a line to the log."""
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint in one step."""
        import torch

        with replacing(self.folder / CHECKPOINT_FILE) as draft:
            torch.save(state, draft)

    def load_checkpoint(self) -> dict[str, Any] | None:
        """Return the latest checkpoint, or None before the first."""
        import torch

        path = self.folder / CHECKPOINT_FILE
        if not path.is_file():
            return None
        state: dict[str, Any] = torch.load(path, weights_only=True)
        return state

    def require_checkpoint(self) -> dict[str, Any]:
        """Return the latest checkpoint. Raises UsageError before the first."""
        state = self.load_checkpoint()
        if state is None:
            raise UsageError(
                f"{self.folder} has no trained policy yet; run `reasoner train policy` first"
            )
        return state
