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
