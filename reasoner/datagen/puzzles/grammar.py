"""Paths written out in Steiner's grammar, all fourteen tokens of it."""

from collections.abc import Sequence

from reasoner.datagen.puzzles.task import Move, PuzzleTask
from reasoner.datagen.puzzles.walk import Visit

__all__ = ["reply_text", "solution_visits", "step_text"]


def step_text(name: str, thought: str, summary: str, reflection: str) -> str:
    """One step in its marks."""
    fields = zip(
        ("name", "thought", "summary", "reflection"),
        (name, thought, summary, reflection),
        strict=True,
    )
    inside = "".join(
        f"<|reasoning_step_{field}_start|>{text}<|reasoning_step_{field}_end|>"
        for field, text in fields
    )
    return f"<|reasoning_step_start|>{inside}<|reasoning_step_end|>"


def reply_text(task: PuzzleTask, visits: Sequence[Visit]) -> str:
    """The whole reply. A path that was stopped before its end answers with what it has."""
    parts = ["<|reasoning_start|>"]
    for visit in visits:
        parts.append(_written(task, visits, visit))
        last = visit is visits[-1]
        parts.append("" if last else f"<|reasoning_{visit.decision}|>")
    return f"{''.join(parts)}<|reasoning_end|>{_answer(task, visits)}"


def _written(task: PuzzleTask, visits: Sequence[Visit], visit: Visit) -> str:
    after = visit.move.state
    thought = visit.move.text + task.observation(after)
    if task.is_solved(after):
        thought += task.derivation(solution_visits(visits))
    return step_text(visit.state, thought, after, task.reflection(after, visit.believed_solvable))


def solution_visits(visits: Sequence[Visit]) -> list[Move]:
    """The moves of the branch that the path stands on at its end."""
    branch: list[Visit] = []
    for visit in visits:
        while branch and branch[-1].move.state != visit.state:
            branch.pop()
        branch.append(visit)
    return [visit.move for visit in branch]


def _answer(task: PuzzleTask, visits: Sequence[Visit]) -> str:
    """The answer the path has found, or can see from where it stands, or else none."""
    moves = solution_visits(visits)
    if visits[-1].decision == "backtrack":
        moves = moves[:-1]
    last = moves[-1].state if moves else task.start
    if not task.is_solved(last) and task.is_outcome_visible(last):
        final = [move for move in task.moves(last) if task.is_solved(move.state)]
        moves, last = [*moves, *final[:1]], task.expect if final else last
    return task.answer(moves) if task.is_solved(last) else task.failure_reply()
