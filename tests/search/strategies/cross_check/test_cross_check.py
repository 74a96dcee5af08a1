"""Cross-checking: who is believed when the reasoning and the program say different things."""

from collections import Counter, defaultdict
from pathlib import Path as File
from typing import Any

import pytest

import reasoner.search.strategies.cross_check.cross_check as crossed
from reasoner.answers.extraction import extract_final_answer
from reasoner.answers.status import status_of_verdicts
from reasoner.protocol.token_allowance import GRACE_TOKENS
from reasoner.search.operators.aggregate import group_by_answer
from reasoner.search.strategies.cross_check.ballot import (
    RouteCandidates,
    choose_answer,
    leader_confidence,
)
from reasoner.search.strategies.cross_check.cross_check import (
    is_printable_answer,
    undecided_candidates,
)
from reasoner.types.candidate import Candidate
from reasoner.types.problem import Problem
from reasoner.types.result import Status
from reasoner.types.trajectory import FinishReason, Phase, Trajectory
from reasoner.types.verdict import Outcome, Verdict
from tests.scripted_gguf import write_scripted_gguf
from tests.search.strategies.test_sampling import ASK, solved

SOUND = Verdict(verifier="arithmetic", outcome=Outcome.PASS, score=1.0, reason="it adds up")


def attempt(number: int, final: str | None) -> Candidate:
    trajectory = Trajectory(
        prompt=(1,), phase=Phase.DONE, answer=f"It is {final}.", finish_reason=FinishReason.STOP
    )
    return Candidate(number=number, trajectory=trajectory, final_answer=final)


async def numeric(left: str, right: str) -> bool:
    return float(left) == float(right)


@pytest.mark.parametrize(
    ("texts", "programs", "best", "outcome"),
    [
        (["12"], ["12.0"], 0, Outcome.PASS),
        (["12"], ["12", None, "12"], 0, Outcome.PASS),
        (["12"], ["15"], 0, Outcome.UNKNOWN),
        (["12"], ["15", "16"], 0, Outcome.UNKNOWN),
        (["12"], ["15", "15"], 10, Outcome.UNKNOWN),
        (["12"], ["15", "12", "15", "12"], 0, Outcome.UNKNOWN),
        (["12", "15", "15"], ["15", "15"], 1, Outcome.UNKNOWN),
        (["12", "15", "15", "15"], ["15", "15", "15"], 1, Outcome.PASS),
        (["12", "12"], ["15"], 0, Outcome.UNKNOWN),
        (["12", None], ["15"], 0, Outcome.UNKNOWN),
    ],
)
async def test_the_answer_with_most_votes_wins(
    texts: list[str | None], programs: list[str | None], best: int, outcome: Outcome
) -> None:
    first, *others = (attempt(number, final) for number, final in enumerate(texts))
    printed = [attempt(number, final) for number, final in enumerate(programs, 10)]
    ballot = RouteCandidates(ASK.question, [first], printed, brief_reasonings=others)
    found = await choose_answer(ballot, numeric)
    assert found.candidates[0].number == best
    (verdict,) = found.candidates[0].search_verdicts
    assert verdict.outcome is outcome
    assert {one.number for one in found.candidates} == {one.number for one in ballot.all_candidates}
    agreed = outcome is Outcome.PASS
    assert status_of_verdicts([verdict, SOUND], answered=True) is (
        Status.VERIFIED if agreed else Status.ANSWERED
    )


async def test_a_revised_answer_confirms_nothing() -> None:
    ballot = RouteCandidates(
        ASK.question, [attempt(0, "12")], [attempt(1, "15")], [attempt(2, "15")]
    )
    found = await choose_answer(ballot, numeric)
    assert found.candidates[0].number == 2
    assert found.candidates[0].search_verdicts[0].outcome is Outcome.UNKNOWN


async def test_votes_count_by_their_value_length_and_sense() -> None:
    """Of lines that disagree: the one at length, then the valued ones, last what cannot be."""
    long, valued, doubted, silly = (attempt(n, str(n)) for n in (1, 2, 3, -4))
    valued = valued.model_copy(update={"value_score": 0.9})
    doubted = doubted.model_copy(update={"value_score": 0.4})
    ballot = RouteCandidates(ASK.question, [long], [silly], brief_reasonings=[doubted, valued])
    groups = await group_by_answer(ballot.all_candidates, numeric)
    ranked = sorted(groups, key=ballot.group_weight, reverse=True)
    assert [group.answer for group in ranked] == ["1", "2", "3", "-4"]


async def test_a_program_wins_over_a_reasoning_that_is_refuted() -> None:
    """A false sum in the text speaks against what was reasoned, not against what was printed."""
    slip = Verdict(verifier="arithmetic", outcome=Outcome.FAIL, score=0.0, reason="it does not")
    wrong, printed = (
        attempt(number, final).model_copy(update={"verdicts": (slip,)})
        for number, final in enumerate(("12", "15"))
    )
    for texts, best in ([wrong], 1), ([attempt(0, "12")], 0):
        found = await choose_answer(RouteCandidates(ASK.question, texts, [printed]), numeric)
        assert found.candidates[0].number == best


async def test_programs_that_fail_confirm_nothing() -> None:
    found = await choose_answer(
        RouteCandidates(ASK.question, [attempt(0, "12")], [attempt(1, None)]), numeric
    )
    assert found.candidates[0].number == 0
    assert not found.candidates[0].search_verdicts


async def test_a_line_that_nothing_confirms_decides_nothing() -> None:
    """However little speaks against it: a program that failed is no reason to be sure."""
    sound = attempt(0, "12").model_copy(update={"value_score": 0.95})
    doubted = attempt(1, "-3").model_copy(update={"value_score": 0.1})
    for other in (attempt(1, None), doubted):
        alone = await RouteCandidates(ASK.question, [sound], [other]).tally_votes(numeric)
        assert alone.supporter_count == 1
        assert alone.confidence > 0.65
        assert not alone.is_decided(0.65, remaining_weight=5.0)
        assert alone.is_decided(0.65, remaining_weight=1.0)
    agreed = await RouteCandidates(ASK.question, [sound], [attempt(1, "12.0")]).tally_votes(numeric)
    assert agreed.supporter_count == 2
    assert agreed.is_decided(0.65, remaining_weight=5.0)
    nothing = await RouteCandidates(ASK.question, [attempt(0, None)]).tally_votes(numeric)
    assert not nothing.is_decided(0.65, remaining_weight=0.0)


def test_a_longer_lead_is_surer() -> None:
    leads = [leader_confidence(lead, 1) for lead in range(1, 9)]
    assert leads == sorted(leads)
    assert 0.0 < leads[0] < 0.5 < leads[-1] < 1.0


async def test_a_model_that_writes_no_program_still_answers(smollm2: File) -> None:
    result, events = await solved(smollm2, "cross-check", ASK, budget=200, max_tokens=300)
    assert result.answer
    lines = [event for event in events if event.kind == "candidate"]
    assert 1 <= len(lines) <= 8
    assert result.usage.completion_tokens >= sum(candidate.tokens for candidate in lines)


async def test_noise_has_no_program(tiny_gguf: File) -> None:
    result, _ = await solved(tiny_gguf, "cross-check", budget=16, max_tokens=40)
    assert len(result.candidates) <= 2
    assert not any(verdict.verifier == "cross_check" for verdict in result.verdicts)


async def test_a_vote_ends_once_the_rest_cannot_change_it(tmp_path: File) -> None:
    """Every reasoning of this model gives the same answer, so that not all are waited for."""
    model = write_scripted_gguf(tmp_path / "m.gguf", ["It is ", "\\boxed{12}.", "<|im_end|>"])
    options = {"programs": 3, "reasonings": 4, "threshold": 0.9}
    result, _ = await solved(
        model, "cross-check", ASK, strategy_options=options, sampling={"temperature": 0.01}
    )
    assert {one.final for one in result.candidates} == {"12"}
    assert len(result.candidates) < 7


async def test_a_further_reasoning_is_not_waited_for_when_it_goes_on_and_on(
    smollm2: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All would take as long as the first, which is asked for many sentences."""
    monkeypatch.setattr(crossed, "MIN_REASONING_LIMIT_TOKENS", 12)
    monkeypatch.setattr(crossed, "REASONING_LIMIT_FACTOR", 0.0)
    ask = Problem(question=f"{ASK.question} Explain each step at length, in many sentences.")
    options = {"programs": 1, "reasonings": 4, "threshold": 1.0}
    changes = {"strategy_options": options, "max_tokens": 300, "budget": 200, "temperature": 0.01}
    _, events = await solved(smollm2, "cross-check", ask, **changes)
    thought: Counter[int] = Counter()
    for event in events:
        if event.kind == "step":
            thought[event.path] += event.step.tokens
    first = thought.pop(0)
    assert thought
    assert max(thought.values()) <= 12 + GRACE_TOKENS < first


async def test_the_first_brief_reasoning_is_the_likeliest_and_the_others_vary(
    smollm2: File, own_directories: File
) -> None:
    registry = own_directories / "config" / "models.toml"
    registry.parent.mkdir()
    registry.write_text(f"[mine]\npath = '{smollm2}'\nsampling = {{ temperature = 0.0 }}\n")
    options = {"programs": 1, "brief": 4, "threshold": 1.0}
    changes: dict[str, Any] = {"strategy_options": options, "budget": 60, "max_tokens": 90}
    asked = Problem(question="What is 12 times 12?")  # the first tokens are no close calls
    written: list[defaultdict[int, str]] = []
    for seed in (0, 1):
        result, events = await solved(
            File("mine"), "cross-check", asked, seed=seed, cache=False, **changes
        )
        written.append(defaultdict(str))
        for event in events:
            if event.kind == "text":
                written[-1][event.path] += event.text
        assert result.usage.decoded_tokens > 1500  # of both kinds of worked examples
    for number in (0, 2):
        one, other = (said[number][:15] for said in written)
        assert one == other != ""
    assert len({said[number] for said in written for number in (3, 4, 5)} - {""}) > 1


async def test_programs_stand_in_for_brief_reasonings_against_a_system_prompt(
    smollm2: File,
) -> None:
    options = {"programs": 1, "brief": 4, "threshold": 1.0}
    own = ASK.model_copy(update={"system": "Answer with a number."})
    changes = {"strategy_options": options, "temperature": 0.01}
    result, events = await solved(smollm2, "cross-check", own, **changes)
    assert len(result.candidates) > 2
    assert {event.path for event in events if event.kind == "text"} == {0}  # programs are silent


async def test_nobody_waits_for_the_program_to_see_the_first_words(smollm2: File) -> None:
    _, events = await solved(smollm2, "cross-check", ASK, budget=40, max_tokens=60)
    told = [event for event in events if event.kind in ("text", "candidate")]
    assert told[0].kind == "text"
    assert told[0].path == 0


@pytest.mark.parametrize(
    ("finish", "printed", "best"),
    [
        (FinishReason.INTERRUPTED, "12", 1),
        (FinishReason.LENGTH, "12", 1),
        (FinishReason.INTERRUPTED, None, 0),
        (FinishReason.INTERRUPTED, "blue", 0),
        (FinishReason.STOP, "12", 0),
    ],
)
def test_a_printed_number_stands_before_half_a_reasoning(
    finish: FinishReason, printed: str | None, best: int
) -> None:
    text = attempt(0, "4")
    half = text.trajectory.model_copy(update={"finish_reason": finish})
    text = text.model_copy(update={"trajectory": half})
    first, second = undecided_candidates(
        RouteCandidates(ASK.question, [text], [attempt(1, printed)])
    )
    assert (first.number, second.number) == (best, 1 - best)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("It is 42.", True),
        ("```python\nprint(6 * 7)\n```\nThe answer is \\boxed{42}.", True),
        ("```python\ndef f(n):\n    return n + 42\n```\nCall f(42).", False),
        ("It is blue.", False),
    ],
)
def test_a_reply_with_code_is_compared_by_the_answer_it_marks(reply: str, told: bool) -> None:
    final = extract_final_answer(reply)
    one = attempt(0, final)
    trajectory = one.trajectory.model_copy(update={"answer": reply})
    assert is_printable_answer(one.model_copy(update={"trajectory": trajectory})) is told


async def test_tests_judge_code_and_no_program_does(smollm2: File) -> None:
    problem = ASK.model_copy(update={"tests": "assert f(2) == 4"})
    result, _ = await solved(smollm2, "cross-check", problem)
    assert len(result.candidates) == 1
