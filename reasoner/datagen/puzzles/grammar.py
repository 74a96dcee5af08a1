"""Paths as text in Steiner's grammar, with all of its fourteen control tokens."""

from collections.abc import Sequence

from reasoner.datagen.puzzles.task import Move, PuzzleTask
from reasoner.datagen.puzzles.walk import Visit

__all__ = ["reply_text", "solution_visits", "step_text"]


def step_text(name: str, thought: str, summary: str, reflection: str) -> str:
    """Return one step with its control tokens, without a decision."""
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
    """Return the whole reply. A path that stops before its end is answered with what it reached,
    or with the task's failure reply."""
    parts = ["<|reasoning_start|>"]
    for visit in visits:
        parts.append(_step_of_visit(task, visits, visit))
        is_last = visit is visits[-1]
        parts.append("" if is_last else f"<|reasoning_{visit.decision}|>")
    return f"{''.join(parts)}<|reasoning_end|>{_answer(task, visits)}"


def _step_of_visit(task: PuzzleTask, visits: Sequence[Visit], visit: Visit) -> str:
    result = visit.move.state
    thought = visit.move.text + task.observation(result)
    if task.is_solved(result):
        thought += task.derivation(solution_visits(visits))
    reflection = task.reflection(result, visit.believed_solvable)
    return step_text(visit.state, thought, result, reflection)


def solution_visits(visits: Sequence[Visit]) -> list[Move]:
    """Return the moves of the branch that is open at the end of a path."""
    branch: list[Visit] = []
    for visit in visits:
        while branch and branch[-1].move.state != visit.state:
            branch.pop()
        branch.append(visit)
    return [visit.move for visit in branch]


def _answer(task: PuzzleTask, visits: Sequence[Visit]) -> str:
    """Return the reply for the solution that the path reached, or that is visible one move from its
    end, or else the failure reply."""
    moves = solution_visits(visits)
    if visits[-1].decision == "backtrack":
        moves = moves[:-1]
    state = moves[-1].state if moves else task.start
    if not task.is_solved(state) and task.is_outcome_visible(state):
        solving_moves = [move for move in task.moves(state) if task.is_solved(move.state)]
        moves = [*moves, *solving_moves[:1]]
        state = task.expect if solving_moves else state
    return task.answer(moves) if task.is_solved(state) else task.failure_reply()
