"""Aggregate: merge attempts that state the same answer, so that they speak with one voice."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from reasoner.attempt import Attempt

__all__ = ["Group", "Same", "aggregate", "normal"]

Same = Callable[[str, str], Awaitable[bool]]
"""Whether two final answers mean the same."""


@dataclass(frozen=True)
class Group:
    """Attempts with one answer between them: in the graph of thoughts, a node of many parents."""

    answer: str
    attempts: tuple[Attempt, ...]

    def joined(self, attempt: Attempt) -> "Group":
        return Group(self.answer, (*self.attempts, attempt))


async def aggregate(attempts: Iterable[Attempt], same: Same) -> tuple[Group, ...]:
    """Group the attempts by their answers, in the order in which the answers first came up.

    Answers with the same normalised text are the same; only different texts are put to `same`,
    each against the first text of every group. Attempts that came to no end, or whose reply
    holds no final answer, are left out.
    """
    groups: list[Group] = []
    known: dict[str, int] = {}
    for attempt in attempts:
        if not attempt.whole or attempt.final is None:
            continue
        text = normal(attempt.final)
        if text not in known:
            known[text] = await _place(text, groups, same)
        if known[text] == len(groups):
            groups.append(Group(text, (attempt,)))
        else:
            groups[known[text]] = groups[known[text]].joined(attempt)
    return tuple(groups)


def normal(answer: str) -> str:
    """An answer's text without what never matters: case, spacing, a full stop."""
    return " ".join(answer.casefold().split()).rstrip(".")


async def _place(text: str, groups: list[Group], same: Same) -> int:
    """The index of the group with this answer; where there is none, that of a new one."""
    for index, group in enumerate(groups):
        if await same(group.answer, text):
            return index
    return len(groups)
