"""Expert iteration: a policy's own paths, with their mistakes corrected, as data for training."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from reasoner.datagen.puzzles.correct import corrected_path
from reasoner.datagen.puzzles.graph import build_reasoning_graph
from reasoner.datagen.puzzles.record import PathRecord, path_record, sample_path_parameters
from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.run import MODEL_FILE, TrainingRun
from reasoner.training.sampler import ReplySampling
from reasoner.training.trials import REPLIES_PER_BATCH, PolicyAttempt, attempt_puzzles

__all__ = ["write_corrected_paths"]


def write_corrected_paths(
    folder: Path,
    out: Path,
    recipe: PathDataRecipe,
    excluded: frozenset[str],
    temperature: float,
    on_batch: Callable[[int, float], None],
) -> int:
    """Append the corrected path of each problem that `out` does not have yet; return their number.

    `on_batch` is called with the number of problems in the file and the share of the new ones that
    the policy solved without correction. Raises UsageError when `folder` has no trained policy.
    """
    run = TrainingRun(folder)
    model = create_model(run, run.require_checkpoint())
    count = first = _count_records(out)
    solved = 0
    with Encoder(folder / MODEL_FILE) as encoder, out.open("a", encoding="utf-8") as file:
        while count < recipe.problems:
            numbers = range(count, min(count + REPLIES_PER_BATCH, recipe.problems))
            tasks = [recipe.sample_task(number, excluded) for number in numbers]
            sampling = ReplySampling(
                temperature=temperature, max_tokens=1024, seed=recipe.seed + count
            )
            attempts = attempt_puzzles(model, encoder, tasks, sampling)
            for attempt, number in zip(attempts, numbers, strict=True):
                file.write(f"{_corrected_record(attempt, number, recipe).model_dump_json()}\n")
            file.flush()
            count += len(attempts)
            solved += sum(attempt.parsed_reply.solved for attempt in attempts)
            on_batch(count, solved / (count - first))
    return count - first


def _corrected_record(attempt: PolicyAttempt, problem: int, recipe: PathDataRecipe) -> PathRecord:
    random = Random(f"{recipe.seed}/{problem}/mend")  # noqa: S311
    graph = build_reasoning_graph(attempt.task, random)
    extended_graph, visits = corrected_path(
        graph, attempt.parsed_reply.visits, random, sample_path_parameters(random)
    )
    return path_record(extended_graph, visits, problem, truncated=False)


def _count_records(out: Path) -> int:
    """Return the number of complete lines of the file, and truncate it after them."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        return 0
    contents = out.read_bytes()
    os.truncate(out, contents.rfind(b"\n") + 1)
    return contents.count(b"\n")
