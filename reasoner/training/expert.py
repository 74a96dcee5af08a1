"""Expert iteration: the policy's own paths, its wrong turns mended, as data for the next round."""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from reasoner.datagen.puzzles.correct import corrected_path
from reasoner.datagen.puzzles.graph import build_reasoning_graph
from reasoner.datagen.puzzles.record import PathRecord, path_record, sample_path_parameters
from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.errors import UsageError
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
    """Append the mended path of each problem that `out` does not hold yet; return how many.

    `on_batch` is told how many problems are done and the share that the policy solved by itself.
    Raises UsageError when the run has no trained policy.
    """
    run = TrainingRun(folder)
    state = run.load_checkpoint()
    if state is None:
        raise UsageError(f"{folder} has no trained policy yet; run `reasoner train policy` first")
    model, done = create_model(run, state), _held(out)
    first, solved = done, 0
    with Encoder(folder / MODEL_FILE) as encoder, out.open("a", encoding="utf-8") as file:
        while done < recipe.problems:
            numbers = range(done, min(done + REPLIES_PER_BATCH, recipe.problems))
            tasks = [recipe.sample_task(number, excluded) for number in numbers]
            how = ReplySampling(temperature=temperature, max_tokens=1024, seed=recipe.seed + done)
            trials = attempt_puzzles(model, encoder, tasks, how)
            lines = [_mended(trial, n, recipe) for trial, n in zip(trials, numbers, strict=True)]
            file.write("".join(f"{line.model_dump_json()}\n" for line in lines))
            file.flush()
            done += len(trials)
            solved += sum(trial.parsed_reply.solved for trial in trials)
            on_batch(done, solved / (done - first))
    return done - first


def _mended(trial: PolicyAttempt, problem: int, recipe: PathDataRecipe) -> PathRecord:
    random = Random(f"{recipe.seed}/{problem}/mend")  # noqa: S311
    graph = build_reasoning_graph(trial.task, random)
    wider, visits = corrected_path(
        graph, trial.parsed_reply.visits, random, sample_path_parameters(random)
    )
    return path_record(wider, visits, problem, truncated=False)


def _held(out: Path) -> int:
    """How many whole lines the file holds; half a line is cut off."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        return 0
    contents = out.read_bytes()
    os.truncate(out, contents.rfind(b"\n") + 1)
    return contents.count(b"\n")
