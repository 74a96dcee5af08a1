"""All strategies by name."""

from typing import Any

from reasoner.errors import UnknownName
from reasoner.strategies.beam import Beam, beam
from reasoner.strategies.best_of_n import BestOfN, WeightedBestOfN, best_of_n, weighted_best_of_n
from reasoner.strategies.cross_check import CrossCheck, cross_check
from reasoner.strategies.dvts import Dvts, dvts
from reasoner.strategies.linear import linear
from reasoner.strategies.lookahead import Lookahead, lookahead
from reasoner.strategies.majority import Majority, majority
from reasoner.strategies.mcts import Mcts, mcts
from reasoner.strategies.nested import Nested, nested_search
from reasoner.strategies.parameters import NoParameters
from reasoner.strategies.revise import Revise, revise
from reasoner.strategies.strategy import Strategy
from reasoner.strategies.tot_bfs import TotBfs, tot_bfs
from reasoner.strategies.tot_dfs import TotDfs, tot_dfs

__all__ = ["STRATEGIES", "find_strategy"]


def find_strategy(name: str) -> Strategy[Any]:
    """The strategy of that name, in which `_` may stand for `-`. Raises UnknownName."""
    name = name.replace("_", "-")
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES, hint="(reasoner strategies list)")
    return STRATEGIES[name]


STRATEGIES: dict[str, Strategy[Any]] = {
    "linear": Strategy(linear, NoParameters, varied=False, live="reply"),
    "cross-check": Strategy(cross_check, CrossCheck, varied=False, live="reasoning"),
    "majority": Strategy(majority, Majority),
    "best-of-n": Strategy(best_of_n, BestOfN),
    "weighted-best-of-n": Strategy(weighted_best_of_n, WeightedBestOfN),
    "beam": Strategy(beam, Beam),
    "dvts": Strategy(dvts, Dvts),
    "lookahead": Strategy(lookahead, Lookahead),
    "mcts": Strategy(mcts, Mcts),
    "tot-bfs": Strategy(tot_bfs, TotBfs),
    "tot-dfs": Strategy(tot_dfs, TotDfs),
    "revise": Strategy(revise, Revise),
    "nested": Strategy(nested_search(find_strategy), Nested),
}
