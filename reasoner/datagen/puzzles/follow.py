"""A model's own reply, read back as visits to states and judged by the program."""

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
    """The legal steps a reply begins with, how many steps it has in all, and whether the answer is
    the one that the task's own checker would give."""

    visits: tuple[Visit, ...]
    steps: int
    solved: bool

    @property
    def is_legal(self) -> bool:
        return len(self.visits) == self.steps


def parse_reply(task: PuzzleTask, reply: str) -> ParsedReply:
    """Read a reply. Legal is a step that starts where the branch stands or stood, makes a move of
    the task that was not made there before, and says truly what the move leads to."""
    found = _STEP_PATTERN.findall(reply)
    visits: list[Visit] = []
    branch, tried = [task.start], set[tuple[State, State]]()
    for name, thought, summary, reflection, decision in found:
        move = _move(task, name, thought, summary) if name in branch else None
        if move is None or (name, move.state) in tried:
            break
        tried.add((name, move.state))
        visits.append(_visit(task, name, move, reflection, decision))
        del branch[branch.index(name) + 1 :]
        if decision == "proceed":
            branch.append(move.state)
    _, _, answer = reply.partition(_ANSWER_MARK)
    return ParsedReply(tuple(visits), len(found), _solves(task, visits, len(found), answer))


def _move(task: PuzzleTask, state: State, thought: str, summary: str) -> Move | None:
    for move in task.moves(state):
        glance = task.observation(move.state)
        if move.state == summary and thought.startswith(f"{move.text}{glance}"):
            return move
    return None


def _visit(
    task: PuzzleTask, state: State, move: Move, reflection: str, decision: Decision
) -> Visit:
    hopeful = reflection == task.reflection(move.state, believed_solvable=True)
    return Visit(state, move, hopeful, decision, task.is_solvable(move.state))


def _solves(task: PuzzleTask, visits: Sequence[Visit], steps: int, answer: str) -> bool:
    """Whether the answer follows from the branch at the end, which holds a solution."""
    if not visits or len(visits) < steps or not task.is_solved(visits[-1].move.state):
        return False
    return answer.removesuffix("<|im_end|>") == task.answer(solution_visits(visits))
