"""What strategies can be told, and how they say it."""

import pytest

from reasoner.errors import UnknownName, UsageError
from reasoner.search.strategies.parameters import describe_parameters
from reasoner.search.strategies.registry import STRATEGIES, find_strategy


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_explains_itself(name: str) -> None:
    strategy = find_strategy(name)
    assert find_strategy(name.replace("-", "_")) is strategy
    assert strategy.summary.endswith(".")
    assert len(strategy.summary) < 110
    for option in describe_parameters(strategy.parameters):
        assert option["description"], option
        strategy.parse_options({option["name"]: option["default"]})


def test_bad_options_name_the_good_ones() -> None:
    with pytest.raises(UsageError, match=r"size.*majority takes: n, at_once"):
        find_strategy("majority").parse_options({"size": 3})
    with pytest.raises(UsageError, match=r"n: .*greater than or equal to 1"):
        find_strategy("majority").parse_options({"n": 0})
    with pytest.raises(UsageError, match="takes: none"):
        find_strategy("linear").parse_options({"n": 3})
    with pytest.raises(UnknownName, match="majority"):
        find_strategy("majorty")
