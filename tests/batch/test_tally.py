"""What a batch came to."""

import pytest

from reasoner.batch.tally import BatchTotals


def test_counts_tokens_score_and_exit_code() -> None:
    tally = BatchTotals()
    assert (tally.exit_code, tally.summary) == (0, "0 of 0 right")
    for status, code in (("verified", 0), ("no_answer", 4), ("refuted", 3)):
        tally.add({"id": "x", "status": status, "usage": {"completion_tokens": 5}})
        assert tally.exit_code == code
    tally.add({"id": "x", "error": "line 4: torn"})
    assert (tally.exit_code, tally.total, tally.tokens) == (1, 4, 15)
    assert tally.summary.startswith("1 of 3 right, 33.3%")


@pytest.mark.parametrize("row", [{}, {"status": 1}, {"status": "verified", "usage": 3}])
def test_other_rows_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="neither"):
        BatchTotals().add(row)
