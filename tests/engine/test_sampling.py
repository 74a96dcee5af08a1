"""Sampling options are checked by name and value."""

import pytest

from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError


def test_later_layers_win() -> None:
    sampling = Sampling.parse({"temperature": 0.6, "top_p": 0.9}, {"temperature": 0.1})
    assert (sampling.temperature, sampling.top_p) == (0.1, 0.9)


@pytest.mark.parametrize("bad", [{"temprature": 1}, {"top_p": 2}, {"top_k": "many"}])
def test_a_bad_option_is_named(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(bad))):
        Sampling.parse(bad)


def test_dry_counts_as_a_penalty_and_names_how_far_it_looks_back() -> None:
    sampling = Sampling.parse({"temperature": 0, "dry_multiplier": 0.8, "dry_penalty_last_n": 512})
    assert sampling.penalised
    assert not sampling.plain_argmax
    assert sampling.history_tokens == 512
    both = sampling.model_copy(update={"repeat_penalty": 1.1, "repeat_last_n": 1024})
    assert both.history_tokens == 1024
    for off in ({"dry_multiplier": 0}, {"dry_multiplier": 0.8, "dry_penalty_last_n": 0}):
        assert not Sampling.parse(off).has_dry
        assert Sampling.parse(off).history_tokens == 0


@pytest.mark.parametrize(
    "bad",
    [{"dry_multiplier": -1}, {"dry_base": 0.5}, {"dry_allowed_length": 0}, {"dry_multiplier": "x"}],
)
def test_a_bad_dry_option_is_named(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(bad))):
        Sampling.parse(bad)
