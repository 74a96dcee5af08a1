"""All strategies by name."""

from typing import Any

from reasoner.errors import UnknownName
from reasoner.search.strategies.beam import BeamParameters, beam
from reasoner.search.strategies.best_of_n import (
    BestOfNParameters,
    WeightedBestOfNParameters,
    best_of_n,
    weighted_best_of_n,
)
from reasoner.search.strategies.cross_check.cross_check import CrossCheckParameters, cross_check
from reasoner.search.strategies.dvts import DvtsParameters, dvts
from reasoner.search.strategies.linear import linear
from reasoner.search.strategies.lookahead import LookaheadParameters, lookahead
from reasoner.search.strategies.majority import MajorityParameters, majority
from reasoner.search.strategies.mcts import MctsParameters, mcts
from reasoner.search.strategies.nested import NestedParameters, nested_search
from reasoner.search.strategies.parameters import NoParameters
from reasoner.search.strategies.revise import ReviseParameters, revise
from reasoner.search.strategies.strategy import Strategy
from reasoner.search.strategies.tot_bfs import TotBfsParameters, tot_bfs
from reasoner.search.strategies.tot_dfs import TotDfsParameters, tot_dfs

__all__ = ["STRATEGIES", "find_strategy"]


def find_strategy(name: str) -> Strategy[Any]:
    """The strategy of that name, in which `_` may stand for `-`. Raises UnknownName."""
    name = name.replace("_", "-")
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES, hint="(reasoner strategies list)")
    return STRATEGIES[name]


STRATEGIES: dict[str, Strategy[Any]] = {
    "linear": Strategy(linear, NoParameters, needs_sampling=False, live="reply"),
    "cross-check": Strategy(
        cross_check, CrossCheckParameters, needs_sampling=False, live="reasoning"
    ),
    "majority": Strategy(majority, MajorityParameters),
    "best-of-n": Strategy(best_of_n, BestOfNParameters),
    "weighted-best-of-n": Strategy(weighted_best_of_n, WeightedBestOfNParameters),
    "beam": Strategy(beam, BeamParameters),
    "dvts": Strategy(dvts, DvtsParameters),
    "lookahead": Strategy(lookahead, LookaheadParameters),
    "mcts": Strategy(mcts, MctsParameters),
    "tot-bfs": Strategy(tot_bfs, TotBfsParameters, judges_states=True),
    "tot-dfs": Strategy(tot_dfs, TotDfsParameters, judges_states=True),
    "revise": Strategy(revise, ReviseParameters),
    "nested": Strategy(nested_search(find_strategy), NestedParameters),
}
