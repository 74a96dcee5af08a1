from itertools import pairwise, product

import pytest

from reasoner.answers.status import score_of_verdicts, status_of_verdicts
from reasoner.types.result import Status
from reasoner.types.verdict import Outcome, Verdict


def say(text: str) -> list[Verdict]:
    """`"pass fail:0.8 pass!"`: a verdict for each word, with its score where it has one; `!` says
    that it settles the question."""
    said = []
    for word in text.split():
        outcome, _, score = word.strip("!").partition(":")
        own, settles = float(score) if score else None, word.endswith("!")
        said.append(
            Verdict(verifier="x", outcome=Outcome(outcome), score=own, reason="r", settles=settles)
        )
    return said


@pytest.mark.parametrize(
    ("outcomes", "answered", "expected"),
    [
        ("", True, Status.ANSWERED),
        ("pass", True, Status.VERIFIED),
        ("pass fail", True, Status.REFUTED),
        ("pass! fail unknown:0", True, Status.VERIFIED),
        ("pass fail!", True, Status.REFUTED),
        ("unknown error", True, Status.ANSWERED),
        ("unknown pass", True, Status.VERIFIED),
        ("pass", False, Status.NO_ANSWER),
    ],
)
def test_status(outcomes: str, answered: bool, expected: Status) -> None:
    assert status_of_verdicts(say(outcomes), answered) is expected


def test_candidates_rank_from_refuted_over_undecided_to_confirmed() -> None:
    worst_to_best = [
        "fail",
        "fail:0.2",
        "fail:0.8 pass",
        "unknown:0",
        "unknown:0.3",
        "",
        "unknown:0.8",
        "pass:0.5 unknown",
        "pass",
        "pass pass:0.2",
        "pass pass",
        "pass! fail",
    ]
    standings = [score_of_verdicts(say(text)) for text in worst_to_best]
    assert all(low < high for low, high in pairwise(standings)), standings


def test_silence_broken_checks_and_bare_unknowns_stand_in_the_middle() -> None:
    assert {score_of_verdicts(say(text)) for text in ("", "error", "unknown", "error unknown")} == {
        0.5
    }


def test_no_score_ever_turns_the_order_of_outcomes_round() -> None:
    bands: dict[Status, list[float]] = {kind: [] for kind in Status}
    words = [f"{o}:{s}" for o in ("pass", "fail", "unknown", "error") for s in (0, 0.5, 1)]
    for chosen in product(words, repeat=3):
        said = say(" ".join(chosen))
        bands[status_of_verdicts(said, answered=True)].append(score_of_verdicts(said))
    assert min(bands[Status.REFUTED]) >= 0
    assert max(bands[Status.REFUTED]) < min(bands[Status.ANSWERED])
    assert max(bands[Status.ANSWERED]) < min(bands[Status.VERIFIED])
    assert max(bands[Status.VERIFIED]) <= 1
