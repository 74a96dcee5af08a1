"""Files of solutions: JSON Lines, and a second file with the rows of features of their steps.

The solutions of a problem are written together, after their features. A run that is killed leaves
at most an incomplete problem at the end, which the next run truncates.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from reasoner.datagen.rollouts.solution import Solution
from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["RunFacts", "SolutionFile", "features_path", "read_solutions"]

RunFacts = dict[str, Any]
"""The first line of the file: the model and the settings of the run."""
Half = npt.NDArray[np.float16]
FILE_KIND = "reasoner-solutions"
BYTES_PER_FEATURE = 2
MAX_ROW_WIDTH = 1 << 20
"""The most features that a row may have."""


def features_path(path: Path) -> Path:
    """Return the path of the features of the solutions in `path`: rows of 16-bit floats."""
    return path.with_name(f"{path.name}.features")


class SolutionFile:
    """The file of one run, opened for appending and locked for other processes.

    `completed_problems` are the ids of its problems, `solutions` is the number of its solutions and
    `spent_tokens` the number of tokens decoded for them. The constructor raises UsageError when the
    file is no file of solutions, belongs to another run, or is in use.
    """

    def __init__(self, path: Path, facts: RunFacts, width: int) -> None:
        from filelock import FileLock, Timeout

        self._path, self._width = path, width
        self._lock = FileLock(f"{path}.lock")
        self.completed_problems: set[str] = set()
        self.solutions = self.spent_tokens = self._rows = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(f"another run is writing {path}") from None
        try:
            self._resume({"kind": FILE_KIND, "width": width, **facts})
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()
        self._features.close()
        self._lock.release()

    def _resume(self, facts: RunFacts) -> None:
        is_new = not self._path.exists() or self._path.stat().st_size == 0
        size = 0 if is_new else self._count_contents(facts)
        features = features_path(self._path)
        features_size = self._rows * self._width * BYTES_PER_FEATURE
        if features_size and (not features.exists() or features.stat().st_size < features_size):
            raise UsageError(f"{features} is shorter than {self._path} says")
        self._lines, self._features = self._path.open("ab"), features.open("ab")
        self._lines.truncate(size)
        self._features.truncate(features_size)
        if size == 0:
            self._append(self._lines, json.dumps(facts).encode() + b"\n")

    def _count_contents(self, facts: RunFacts) -> int:
        """Count the problems, solutions, tokens and rows; return the file's size up to the last
        complete problem."""

        def require_same_run(file_facts: RunFacts) -> None:
            _require_same_run(self._path, file_facts, facts)

        size = 0
        for end, group in _groups(self._path, require_same_run):
            size = end
            for solution in group:
                self.completed_problems.add(solution.problem)
                self._rows = max(self._rows, *(row + 1 for row in solution.features), 0)
            self.solutions += len(group)
            self.spent_tokens += group[0].spent if group else 0
        return size

    def add_solutions(
        self, solutions: Sequence[Solution], features: Sequence[Half], spent: int
    ) -> None:
        """Append all solutions of one problem. Their `features` number the given rows from 0;
        `spent` is the number of tokens decoded for them."""
        rows = np.asarray(features, np.float16).reshape(len(features), self._width)
        self._append(self._features, rows.tobytes())
        lines = [
            solution.model_copy(
                update={
                    "features": tuple(row + self._rows for row in solution.features),
                    "of": len(solutions),
                    "spent": spent,
                }
            ).model_dump_json()
            for solution in solutions
        ]
        self._append(self._lines, "".join(f"{line}\n" for line in lines).encode())
        self._rows += len(features)
        self.solutions += len(solutions)
        self.spent_tokens += spent
        self.completed_problems.update(solution.problem for solution in solutions)

    @staticmethod
    def _append(file: Any, data: bytes) -> None:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_solutions(path: Path) -> tuple[RunFacts, list[Solution], Half]:
    """Return the first line, the solutions of complete problems, and the rows of features
    (memory-mapped).

    The file may be growing meanwhile. Raises UsageError when it is no file of solutions or its
    features cannot be read.
    """
    facts: RunFacts = {}
    solutions = [solution for _, group in _groups(path, facts.update) for solution in group]
    rows = max((row + 1 for solution in solutions for row in solution.features), default=0)
    width = facts.get("width")
    if not isinstance(width, int) or not 1 <= width <= MAX_ROW_WIDTH:
        raise UsageError(f"{path} does not say how wide its rows are")
    if rows == 0:
        return facts, solutions, np.zeros((0, width), np.float16)
    try:
        features = np.memmap(features_path(path), np.float16, "r", shape=(rows, width))
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(f"cannot read the features of {path}: {error}") from error
    return facts, solutions, features


def _groups(
    path: Path, on_facts: Callable[[RunFacts], None]
) -> Iterator[tuple[int, list[Solution]]]:
    """Yield the solutions of each complete problem, with the file's size up to their end. The first
    group, after the line of facts, is empty."""
    end = 0
    group: list[Solution] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                end += len(line)
                if not line.endswith(b"\n"):
                    return
                if number == 1:
                    on_facts(_parse_facts(path, line))
                    yield end, []
                    continue
                group.append(_parse_solution(path, number, line))
                if len(group) == group[0].of:
                    yield end, group
                    group = []
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _parse_facts(path: Path, line: bytes) -> RunFacts:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or facts.get("kind") != FILE_KIND:
        raise UsageError(f"{path} was not made by reasoner data rollouts; name another --out")
    return facts


def _parse_solution(path: Path, number: int, line: bytes) -> Solution:
    try:
        return Solution.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(f"{path}: line {number}: {explain(error)}") from error


def _require_same_run(path: Path, file_facts: RunFacts, run_facts: RunFacts) -> None:
    for key in sorted({*file_facts, *run_facts}):
        if file_facts.get(key) != run_facts.get(key):
            raise UsageError(
                f"{path} was made with {key} {file_facts.get(key)}, not {run_facts.get(key)}; "
                "go on as it was begun or name another --out"
            )
