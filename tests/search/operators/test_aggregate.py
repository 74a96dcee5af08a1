"""Attempts with one answer speak with one voice."""

from reasoner.plugin_host.host import PluginHost
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.types.candidate import Candidate
from reasoner.types.trajectory import FinishReason, Phase, Trajectory


def attempt(number: int, final: str | None, reason: FinishReason = FinishReason.STOP) -> Candidate:
    trajectory = Trajectory(prompt=(1,), phase=Phase.DONE, answer=final or "", finish_reason=reason)
    return Candidate(number=number, trajectory=trajectory, final_answer=final)


async def test_only_different_texts_are_compared() -> None:
    asked: list[tuple[str, str]] = []

    async def same(left: str, right: str) -> bool:
        asked.append((left, right))
        return float(left) == float(right)

    finals = ["12", "12.", "13", " 12", "12.0", "13", "12.0"]
    groups = await group_by_answer([attempt(n, f) for n, f in enumerate(finals)], same)
    assert [g.answer for g in groups] == ["12", "13"]
    assert [[a.number for a in g.candidates] for g in groups] == [[0, 1, 3, 4, 6], [2, 5]]
    assert asked == [("12", "13"), ("12", "12.0")]


async def test_what_came_to_no_end_has_no_voice() -> None:
    async def never(left: str, right: str) -> bool:
        raise AssertionError((left, right))

    cut = [attempt(0, "5", FinishReason.LENGTH), attempt(1, "5", FinishReason.INTERRUPTED)]
    assert await group_by_answer([*cut, attempt(2, None)], never) == ()


async def test_equal_mathematics_is_one_answer() -> None:
    with PluginHost() as verifiers:
        finals = [r"\frac{1}{2}", "0.5", "1/2", "2", "50 apples"]
        groups = await group_by_answer(
            [attempt(n, f) for n, f in enumerate(finals)], verifiers.same_answer
        )
    assert [len(g.candidates) for g in groups] == [3, 1, 1]
