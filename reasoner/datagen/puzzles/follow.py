"""Parsing of a model's reply into the steps of a path, each judged by the task."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reasoner.datagen.puzzles.grammar import solution_visits
from reasoner.datagen.puzzles.task import Move, PuzzleTask, State
from reasoner.datagen.puzzles.walk import Decision, Visit

__all__ = ["ParsedReply", "parse_reply"]

_FIELDS = ("name", "thought", "summary", "reflection")
_STEP_PATTERN = re.compile(
    r"<\|reasoning_step_start\|>"
    + "".join(
        rf"<\|reasoning_step_{f}_start\|>([^<]*)<\|reasoning_step_{f}_end\|>" for f in _FIELDS
    )
    + r"<\|reasoning_step_end\|><\|reasoning_(proceed|backtrack|end)\|>"
)
_ANSWER_MARK = "<|reasoning_end|>"


@dataclass(frozen=True)
class ParsedReply:
    """The steps of a reply."""

    visits: tuple[Visit, ...]
    """The legal steps before the first illegal one."""
    steps: int
    """The number of all steps."""
    solved: bool
    """Whether the answer is the one that the task gives for these steps."""

    @property
    def is_legal(self) -> bool:
        """Whether all steps are legal."""
        return len(self.visits) == self.steps


def parse_reply(task: PuzzleTask, reply: str) -> ParsedReply:
    """Parse a reply in Steiner's grammar.

    A step is legal when it starts from a state of the open branch, makes a move of the task that
    was not made there before, and states the move's result correctly.
    """
    step_fields = _STEP_PATTERN.findall(reply)
    visits: list[Visit] = []
    branch, tried_moves = [task.start], set[tuple[State, State]]()
    for name, thought, summary, reflection, decision in step_fields:
        move = _find_move(task, name, thought, summary) if name in branch else None
        if move is None or (name, move.state) in tried_moves:
            break
        tried_moves.add((name, move.state))
        visits.append(_to_visit(task, name, move, reflection, decision))
        del branch[branch.index(name) + 1 :]
        if decision == "proceed":
            branch.append(move.state)
    _, _, answer = reply.partition(_ANSWER_MARK)
    steps = len(step_fields)
    return ParsedReply(tuple(visits), steps, _is_solved(task, visits, steps, answer))


def _find_move(task: PuzzleTask, state: State, thought: str, summary: str) -> Move | None:
    """Return the move from `state` that a step's texts state, or None."""
    for move in task.moves(state):
        observation = task.observation(move.state)
        if move.state == summary and thought.startswith(f"{move.text}{observation}"):
            return move
    return None


def _to_visit(
    task: PuzzleTask, state: State, move: Move, reflection: str, decision: Decision
) -> Visit:
    believed_solvable = reflection == task.reflection(move.state, believed_solvable=True)
    return Visit(state, move, believed_solvable, decision, task.is_solvable(move.state))


def _is_solved(task: PuzzleTask, visits: Sequence[Visit], steps: int, answer: str) -> bool:
    """Whether all steps are legal, the last one reaches a solution, and the answer states it."""
    if not visits or len(visits) < steps or not task.is_solved(visits[-1].move.state):
        return False
    return answer.removesuffix("<|im_end|>") == task.answer(solution_visits(visits))
