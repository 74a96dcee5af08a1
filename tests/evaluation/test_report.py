"""The figures of an evaluation, as data, Markdown and a page with plots."""

from xml.etree import ElementTree

import pytest

from reasoner.evaluation.page import render_page
from reasoner.evaluation.record import ScoredRow
from reasoner.evaluation.report import EvalReport
from reasoner.evaluation.statistics import group_by_difficulty, on_pareto_line
from reasoner.types.result import Status

HOSTILE = 'high <script>alert("x")</script> | y'


def row(number: int, tokens: int, *, correct: bool | None, confidence: float) -> ScoredRow:
    return ScoredRow(
        id=f"set/{number}",
        dataset="set",
        level=None,
        correct=correct,
        status=Status.VERIFIED if correct else Status.ANSWERED,
        confidence=confidence,
        tokens=tokens,
        seconds=1.0,
    )


@pytest.fixture
def report() -> EvalReport:
    """Of 40 questions the first variant has 10 right, the second these and 20 more."""
    low = [row(n, 100, correct=n < 10, confidence=0.25) for n in range(40)]
    high = [
        row(n, 400, correct=None if n == 39 else n < 30, confidence=0.75 if n < 30 else 0.05)
        for n in range(40)
    ]
    return EvalReport({"low": low, HOSTILE: high}, {"low": 0, HOSTILE: 0}, ["40 questions"])


def test_figures(report: EvalReport) -> None:
    low, high = report.summaries
    assert (low.right, low.count, low.mean_tokens) == (10, 40, 100)
    assert low.interval[0] < 0.25 < low.interval[1]
    assert (high.right, high.open_count) == (30, 1)
    assert low.calibration_error == pytest.approx(0.0)
    assert high.calibration_error == pytest.approx((30 * 0.25 + 10 * 0.05) / 40)
    (comparison,) = report.comparisons
    assert (comparison.wins, comparison.losses) == (20, 0)
    assert comparison.p == pytest.approx(2 / 2**20)


def test_the_pareto_line_leaves_out_what_costs_more_for_less(report: EvalReport) -> None:
    low, high = report.summaries
    assert on_pareto_line([high, low]) == [low, high]
    assert on_pareto_line([low, low]) == [low]


def test_difficulty_without_levels(report: EvalReport) -> None:
    groups = group_by_difficulty(report.rows)
    assert {label: len(group["low"]) for label, group in groups.items()} == {
        "right in all": 10,
        "right in some": 20,
        "right in none": 10,
    }


def test_markdown(report: EvalReport) -> None:
    lines = report.to_markdown().splitlines()
    assert "| low | 10 of 40 | 25.0% | [14.2%, 40.2%] | 0 | 100 | 1.0 | 0.0% |" in lines
    assert any("\\| y against low | 40 | 20 | 0 |" in line for line in lines)


def test_the_page_shows_text_as_text_and_its_plots_are_well_formed(report: EvalReport) -> None:
    page = render_page(report, "Evaluation")
    assert "<script" not in page
    assert page.count("<svg") == 3
    for part in page.split("<svg")[1:]:
        ElementTree.fromstring(f"<svg{part.partition('</svg>')[0]}</svg>")
