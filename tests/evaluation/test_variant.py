"""The grid of variants that `--compare` stands for."""

import pytest

from reasoner.errors import UsageError
from reasoner.evaluation.variant import parse_variants


def test_a_grid() -> None:
    variants = parse_variants(["effort=low,high", "model=a,/x/b.gguf"])
    assert [variant.name for variant in variants] == [
        "low a",
        "low b.gguf",
        "high a",
        "high b.gguf",
    ]
    assert variants[1].changes == {"effort": "low", "model": "/x/b.gguf"}


def test_an_option_of_a_strategy() -> None:
    (four, eight) = parse_variants(["strategy_options.n=4,8"])
    assert (four.name, four.changes) == ("4", {"strategy_options": {"n": "4"}})
    assert eight.changes == {"strategy_options": {"n": "8"}}


def test_nothing_to_compare() -> None:
    assert [variant.name for variant in parse_variants([])] == ["default"]


@pytest.mark.parametrize("text", ["effort", "effort=", "effort=low,", "colour=red", "seed=1,1"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--compare"):
        parse_variants([text])


def test_too_large_a_grid_is_refused() -> None:
    values = ",".join(str(seed) for seed in range(65))
    with pytest.raises(UsageError, match="65 variants"):
        parse_variants([f"seed={values}"])
