"""Solutions on disk: JSON Lines, and beside them the features of their steps, by row.

A problem's solutions are written together, the features first, so a run that is killed at any
moment leaves at most a torn end, which the next one cuts off: nothing is lost that was whole,
and nothing stands there twice.
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
"""What a run was told and which model it read: the first line."""
Half = npt.NDArray[np.float16]
FILE_KIND = "reasoner-solutions"
BYTES_PER_FEATURE = 2
MAX_ROW_WIDTH = 1 << 20
"""Numbers that a row may have."""


def features_path(path: Path) -> Path:
    """Where the features stand that the solutions in `path` refer to: rows of 16-bit floats."""
    return path.with_name(f"{path.name}.features")


class SolutionFile:
    """The file of one run, opened to go on writing; one process at a time may.

    `done` are the problems that are complete, `spent` the tokens they took. Raises UsageError
    when the file is no ledger, belongs to another run, or is in use.
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
        new = not self._path.exists() or self._path.stat().st_size == 0
        size = 0 if new else self._take_stock(facts)
        features, held = features_path(self._path), self._rows * self._width * BYTES_PER_FEATURE
        if held and (not features.exists() or features.stat().st_size < held):
            raise UsageError(f"{features} is shorter than {self._path} says")
        self._lines, self._features = self._path.open("ab"), features.open("ab")
        self._lines.truncate(size)
        self._features.truncate(held)
        if size == 0:
            self._put(self._lines, json.dumps(facts).encode() + b"\n")

    def _take_stock(self, facts: RunFacts) -> int:
        """Count what is there; the size of what is whole."""
        size = 0
        for end, group in _groups(self._path, lambda found: _same_run(self._path, found, facts)):
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
        """Write all there is about one problem. The solutions count their rows from 0."""
        rows = np.asarray(features, np.float16).reshape(len(features), self._width)
        self._put(self._features, rows.tobytes())
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
        self._put(self._lines, "".join(f"{line}\n" for line in lines).encode())
        self._rows += len(features)
        self.solutions += len(solutions)
        self.spent_tokens += spent
        self.completed_problems.update(solution.problem for solution in solutions)

    @staticmethod
    def _put(file: Any, data: bytes) -> None:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_solutions(path: Path) -> tuple[RunFacts, list[Solution], Half]:
    """What was told, the solutions of complete problems, and the rows of features (memory-mapped).

    A torn end is left out; the file may still be growing. Raises UsageError.
    """
    facts: RunFacts = {}
    found = [solution for _, group in _groups(path, facts.update) for solution in group]
    rows = max((row + 1 for solution in found for row in solution.features), default=0)
    width = facts.get("width")
    if not isinstance(width, int) or not 1 <= width <= MAX_ROW_WIDTH:
        raise UsageError(f"{path} does not say how wide its rows are")
    place = features_path(path)
    if rows == 0:
        return facts, found, np.zeros((0, width), np.float16)
    try:
        return facts, found, np.memmap(place, np.float16, "r", shape=(rows, width))
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(f"cannot read the features of {path}: {error}") from error


def _groups(
    path: Path, on_facts: Callable[[RunFacts], None]
) -> Iterator[tuple[int, list[Solution]]]:
    """The file's size up to there, and the solutions of a problem; the first group is empty."""
    end = 0
    group: list[Solution] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                end += len(line)
                if not line.endswith(b"\n"):
                    return
                if number == 1:
                    on_facts(_facts(path, line))
                    yield end, []
                    continue
                group.append(_solution(path, number, line))
                if len(group) == group[0].of:
                    yield end, group
                    group = []
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def _facts(path: Path, line: bytes) -> RunFacts:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or facts.get("kind") != FILE_KIND:
        raise UsageError(f"{path} was not made by reasoner data rollouts; name another --out")
    return facts


def _solution(path: Path, number: int, line: bytes) -> Solution:
    try:
        return Solution.model_validate_json(line)
    except ValidationError as error:
        raise UsageError(f"{path}: line {number}: {explain(error)}") from error


def _same_run(path: Path, found: RunFacts, wanted: RunFacts) -> None:
    for key in sorted({*found, *wanted}):
        if found.get(key) != wanted.get(key):
            raise UsageError(
                f"{path} was made with {key} {found.get(key)}, not {wanted.get(key)}; "
                "go on as it was begun or name another --out"
            )
