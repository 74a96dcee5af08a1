"""Cross-checking: who is believed when the reasoning and the program say different things."""

from pathlib import Path as File

import pytest

from reasoner.attempt import Attempt
from reasoner.path import FinishReason, Path, Phase
from reasoner.result import Status
from reasoner.strategies.cross_check import judged
from reasoner.verdict import Outcome, Verdict
from reasoner.verify.status import status
from tests.strategies.test_sampling import ASK, solved

SOUND = Verdict(verifier="arithmetic", outcome=Outcome.PASS, score=1.0, reason="it adds up")


def attempt(number: int, final: str | None) -> Attempt:
    path = Path(
        prompt=(1,), phase=Phase.DONE, answer=f"It is {final}.", finish_reason=FinishReason.STOP
    )
    return Attempt(number=number, path=path, final=final)


async def numeric(left: str, right: str) -> bool:
    return float(left) == float(right)


@pytest.mark.parametrize(
    ("texts", "program", "best", "outcome"),
    [
        (["12"], "12.0", 0, Outcome.PASS),
        (["12"], "15", 0, Outcome.UNKNOWN),
        (["12", "15"], "15", 1, Outcome.UNKNOWN),
        (["12", "12"], "15", 0, Outcome.UNKNOWN),
        (["12", "13"], "15", 0, Outcome.UNKNOWN),
        (["12", None], "15", 0, Outcome.UNKNOWN),
    ],
)
async def test_two_routes_outvote_one(
    texts: list[str | None], program: str, best: int, outcome: Outcome
) -> None:
    attempts = [attempt(number, final) for number, final in enumerate(texts)]
    found = await judged(attempts, attempt(9, program), numeric)
    assert found.attempts[0].number == best
    (verdict,) = found.attempts[0].found
    assert verdict.outcome is outcome
    assert {one.number for one in found.attempts} == {*range(len(texts)), 9}
    agreed = outcome is Outcome.PASS
    assert status([verdict, SOUND], answered=True) is (
        Status.VERIFIED if agreed else Status.ANSWERED
    )


async def test_a_model_that_writes_no_program_still_answers(smollm2: File) -> None:
    result, events = await solved(smollm2, "cross-check", ASK, budget=200, max_tokens=300)
    assert result.answer
    lines = [event for event in events if event.kind == "candidate"]
    assert 1 <= len(lines) <= 3
    assert result.usage.completion_tokens >= sum(candidate.tokens for candidate in lines)


async def test_noise_has_no_program(tiny_gguf: File) -> None:
    result, _ = await solved(tiny_gguf, "cross-check", budget=16, max_tokens=40)
    assert len(result.candidates) <= 2
    assert not any(verdict.verifier == "cross_check" for verdict in result.verdicts)
