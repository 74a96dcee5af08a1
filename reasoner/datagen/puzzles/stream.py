"""A data file that grows problem by problem: seeded, streamed, and gone on with when cut off.

Every problem has a random generator of its own, made from the seed and its number, so the file
does not depend on how often the work was interrupted.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict, PositiveInt

from reasoner.atomic_file import write_atomically
from reasoner.datagen.puzzles.record import KINDS, path_records
from reasoner.datagen.puzzles.task import PuzzleTask
from reasoner.errors import UsageError

__all__ = ["PathDataRecipe", "excluded_keys", "write_path_records"]


class _Given(BaseModel):
    """A problem in a file of somebody's."""

    numbers: list[int]
    target: int


class PathDataRecipe(BaseModel):
    """What a data file is made of; `mix` weighs the kinds of problems."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: PositiveInt = 10_000
    paths: PositiveInt = 5
    seed: int = 0
    mix: Mapping[str, float]

    def random_generator(self, problem: int) -> Random:
        return Random(f"{self.seed}/{problem}")  # noqa: S311

    def sample_task(self, problem: int, excluded: frozenset[str]) -> PuzzleTask:
        """The problem of this number, none of the excluded ones."""
        random = self.random_generator(problem)
        kind = random.choices(list(self.mix), list(self.mix.values()))[0]
        while True:
            task = KINDS[kind](random)
            if task.key not in excluded:
                return task


def write_path_records(
    path: Path,
    recipe: PathDataRecipe,
    excluded: frozenset[str] = frozenset(),
    on_problem: Callable[[int], None] = lambda _done: None,
) -> int:
    """Write the data file, or what is missing of it; return how many problems were added.

    `on_problem` is told how many problems are done. Raises UsageError when the file was made
    from another recipe.
    """
    done = _resume(path, recipe)
    with path.open("a", encoding="utf-8") as file:
        for problem in range(done, recipe.problems):
            task = recipe.sample_task(problem, excluded)
            found = path_records(task, problem, recipe.paths, recipe.random_generator(-1 - problem))
            file.write("".join(f"{line.model_dump_json()}\n" for line in found))
            on_problem(problem + 1)
    return max(0, recipe.problems - done)


def _resume(path: Path, recipe: PathDataRecipe) -> int:
    """How many problems the file holds in full; what a killed run left half-written is cut off."""
    note = path.with_name(f"{path.name}.recipe")
    wanted = recipe.model_dump_json(exclude={"problems"})
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(note, wanted)
        return 0
    if not note.exists() or note.read_bytes() != wanted.encode():
        raise UsageError(f"{path} was made from another recipe; choose another file or delete it")
    ends = [0]
    with path.open("rb") as file:
        ends += accumulate(len(line) for line in file if line.endswith(b"\n"))
    problems = (len(ends) - 1) // recipe.paths
    os.truncate(path, ends[problems * recipe.paths])
    return problems


def excluded_keys(paths: Sequence[Path]) -> frozenset[str]:
    """The keys of the problems in files with `numbers` and `target` on each line.

    Raises UsageError for a line that is something else.
    """
    return frozenset(key for path in paths for key in _keys(path))


def _keys(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                given = _Given.model_validate_json(line)
            except ValueError as error:
                raise UsageError(f"{path}:{number}: needs `numbers` and a `target`") from error
            numbers = sorted(given.numbers, reverse=True)
            yield f"{' '.join(map(str, numbers))} = {given.target}"
