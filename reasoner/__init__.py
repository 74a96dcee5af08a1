"""reasoner: hard questions answered on your own machine, with evidence.

    >>> import reasoner
    >>> reasoner.solve("What is 17 * 23?").final  # doctest: +SKIP
    '391'

Importing it is free: models, plugins and heavy libraries come in with the first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasoner.errors import ReasonerError
    from reasoner.problem import Message, Problem
    from reasoner.result import Result, Status
    from reasoner.settings import Settings
    from reasoner.solver import Solver, asolve, solve

__all__ = [
    "Message",
    "Problem",
    "ReasonerError",
    "Result",
    "Settings",
    "Solver",
    "Status",
    "__version__",
    "asolve",
    "solve",
]

__version__ = "0.1.0"

_HOME = {
    "Message": "problem",
    "Problem": "problem",
    "ReasonerError": "errors",
    "Result": "result",
    "Settings": "settings",
    "Solver": "solver",
    "Status": "result",
    "asolve": "solver",
    "solve": "solver",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"reasoner.{_HOME[name]}"), name)
    raise AttributeError(f"module 'reasoner' has no attribute {name!r}")
