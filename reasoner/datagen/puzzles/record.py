"""Records of sampled paths, one a line of a data file.

The field names are part of the file format: `landed` says that a path was truncated, `honest` that
a step's belief is correct.
"""

from collections.abc import Callable, Sequence
from random import Random

from pydantic import BaseModel, ConfigDict

from reasoner.datagen.puzzles.arithmetic import sample_arithmetic
from reasoner.datagen.puzzles.equation import sample_equation
from reasoner.datagen.puzzles.grammar import reply_text
from reasoner.datagen.puzzles.graph import ReasoningGraph, build_reasoning_graph
from reasoner.datagen.puzzles.puzzle import sample_countdown, sample_game_of_24
from reasoner.datagen.puzzles.reward import step_rewards
from reasoner.datagen.puzzles.task import PuzzleTask
from reasoner.datagen.puzzles.walk import PathParameters, Visit, sample_path

__all__ = [
    "KINDS",
    "PathRecord",
    "StepRecord",
    "path_record",
    "path_records",
    "sample_path_parameters",
]

KINDS: dict[str, Callable[[Random], PuzzleTask]] = {
    "countdown3": lambda random: sample_countdown(3, random),
    "countdown4": lambda random: sample_countdown(4, random),
    "make24": sample_game_of_24,
    "arithmetic": sample_arithmetic,
    "equation": sample_equation,
}
TRUNCATED_PATH_SHARE = 0.06
"""The share of paths that are truncated before their end, as a limit on steps will do to some."""


class StepRecord(BaseModel):
    """One step: the graph node it led to, whether a right answer can be reached from there, whether
    the step's reflection is correct about that, and its reward."""

    model_config = ConfigDict(frozen=True)

    node: int
    right: bool
    honest: bool
    reward: float


class PathRecord(BaseModel):
    """One path of one problem.

    `key` identifies the problem, `reply` is the path in Steiner's grammar, `expect` the answer.
    """

    model_config = ConfigDict(frozen=True)

    problem: int
    kind: str
    key: str
    question: str
    reply: str
    expect: str
    landed: bool
    steps: tuple[StepRecord, ...]


def path_records(task: PuzzleTask, problem: int, paths: int, random: Random) -> list[PathRecord]:
    """Sample `paths` paths through the problem's graph, each with parameters of its own."""
    graph = build_reasoning_graph(task, random)
    records = []
    for _ in range(paths):
        visits = sample_path(graph, random, sample_path_parameters(random))
        truncated = len(visits) > 1 and random.random() < TRUNCATED_PATH_SHARE
        if truncated:
            visits = visits[: random.randrange(1, len(visits))]
        records.append(path_record(graph, visits, problem, truncated=truncated))
    return records


def path_record(
    graph: ReasoningGraph, visits: Sequence[Visit], problem: int, *, truncated: bool
) -> PathRecord:
    """Return the record of a path of the problem with this number."""
    rewards = step_rewards(graph, [(visit.state, visit.move.state) for visit in visits])
    steps = tuple(
        StepRecord(
            node=graph.node_id(visit.move.state),
            right=visit.solvable,
            honest=visit.is_belief_correct,
            reward=round(reward, 4),
        )
        for visit, reward in zip(visits, rewards, strict=True)
    )
    task = graph.task
    return PathRecord(
        problem=problem,
        kind=task.kind,
        key=task.key,
        question=task.question,
        reply=reply_text(task, visits),
        expect=task.expect,
        landed=truncated,
        steps=steps,
    )


def sample_path_parameters(random: Random) -> PathParameters:
    """Sample how often a path is wrong, so that the data has short and long paths."""
    return PathParameters(
        right_move_bias=random.uniform(0.2, 0.9),
        false_belief_rate=random.uniform(0.1, 0.6),
        max_wrong_steps=random.uniform(2, 8),
    )
