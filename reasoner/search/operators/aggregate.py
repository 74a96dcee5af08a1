"""Grouping of candidates that state the same answer."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from reasoner.types.candidate import Candidate

__all__ = ["AnswerEquality", "AnswerGroup", "group_by_answer", "normalize_answer"]

AnswerEquality = Callable[[str, str], Awaitable[bool]]
"""Whether two final answers mean the same."""


@dataclass(frozen=True)
class AnswerGroup:
    """Candidates with the same final answer: an aggregation in a Graph of Thoughts (Besta et al.
    2023). `answer` is the normalised text of the first one's final answer."""

    answer: str
    candidates: tuple[Candidate, ...]

    def with_candidate(self, candidate: Candidate) -> "AnswerGroup":
        """The group with one more candidate."""
        return AnswerGroup(self.answer, (*self.candidates, candidate))


async def group_by_answer(
    candidates: Iterable[Candidate], same: AnswerEquality
) -> tuple[AnswerGroup, ...]:
    """Group the candidates by their answers, in the order in which the answers first occur.

    Equal normalised texts are the same answer; a new text is compared by `same` with the first text
    of every group. Incomplete candidates and those without a final answer are left out.
    """
    groups: list[AnswerGroup] = []
    group_of_text: dict[str, int] = {}
    for candidate in candidates:
        if not candidate.is_complete or candidate.final_answer is None:
            continue
        text = normalize_answer(candidate.final_answer)
        if text not in group_of_text:
            group_of_text[text] = await _group_index(text, groups, same)
        index = group_of_text[text]
        if index == len(groups):
            groups.append(AnswerGroup(text, (candidate,)))
        else:
            groups[index] = groups[index].with_candidate(candidate)
    return tuple(groups)


def normalize_answer(answer: str) -> str:
    """The answer's text in lower case, with single spaces and without a final full stop."""
    return " ".join(answer.casefold().split()).rstrip(".")


async def _group_index(text: str, groups: list[AnswerGroup], same: AnswerEquality) -> int:
    """The index of the group with this answer; the number of groups where there is none."""
    for index, group in enumerate(groups):
        if await same(group.answer, text):
            return index
    return len(groups)
