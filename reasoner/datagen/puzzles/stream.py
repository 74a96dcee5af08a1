"""A data file of paths that is written problem by problem and continued after an interruption.

Every problem has a random generator of its own, seeded from the recipe's seed and its number, so
the file does not depend on how often the work was interrupted.
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


class _ExcludedProblem(BaseModel):
    """One line of a file of problems to leave out."""

    numbers: list[int]
    target: int


class PathDataRecipe(BaseModel):
    """What a data file is made of. `mix` gives each kind of problem its relative frequency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: PositiveInt = 10_000
    paths: PositiveInt = 5
    seed: int = 0
    mix: Mapping[str, float]

    def random_generator(self, problem: int) -> Random:
        """Return the random generator of the problem with this number."""
        return Random(f"{self.seed}/{problem}")  # noqa: S311

    def sample_task(self, problem: int, excluded: frozenset[str]) -> PuzzleTask:
        """Return the problem with this number, whose key is not one of the excluded ones."""
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
    on_problem: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write the data file, or what is missing of it; return the number of added problems.

    `on_problem` is called after each with the number of problems in the file. Raises UsageError
    when the file was made from another recipe.
    """
    count = _resume(path, recipe)
    with path.open("a", encoding="utf-8") as file:
        for problem in range(count, recipe.problems):
            task = recipe.sample_task(problem, excluded)
            random = recipe.random_generator(-1 - problem)
            records = path_records(task, problem, recipe.paths, random)
            file.write("".join(f"{record.model_dump_json()}\n" for record in records))
            on_problem(problem + 1)
    return max(0, recipe.problems - count)


def _resume(path: Path, recipe: PathDataRecipe) -> int:
    """Return the number of complete problems in the file, and truncate it after them."""
    recipe_file = path.with_name(f"{path.name}.recipe")
    recipe_json = recipe.model_dump_json(exclude={"problems"})
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(recipe_file, recipe_json)
        return 0
    if not recipe_file.exists() or recipe_file.read_bytes() != recipe_json.encode():
        raise UsageError(f"{path} was made from another recipe; choose another file or delete it")
    line_ends = [0]
    with path.open("rb") as file:
        line_ends += accumulate(len(line) for line in file if line.endswith(b"\n"))
    problems = (len(line_ends) - 1) // recipe.paths
    os.truncate(path, line_ends[problems * recipe.paths])
    return problems


def excluded_keys(paths: Sequence[Path]) -> frozenset[str]:
    """Return the keys of the problems in files with `numbers` and `target` on each line.

    Raises UsageError for any other line.
    """
    return frozenset(key for path in paths for key in _keys(path))


def _keys(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                problem = _ExcludedProblem.model_validate_json(line)
            except ValueError as error:
                raise UsageError(f"{path}:{number}: needs `numbers` and a `target`") from error
            numbers = sorted(problem.numbers, reverse=True)
            yield f"{' '.join(map(str, numbers))} = {problem.target}"
