"""reasoner: hard questions answered on your own machine, with evidence.

    >>> import reasoner
    >>> reasoner.solve("What is 17 * 23?").final  # doctest: +SKIP
    '391'

Importing the package loads nothing heavy: models, plugins and libraries such as llama_cpp and
sympy are imported by the first use.
"""

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would take time
if TYPE_CHECKING:
    from typing import Any

    from reasoner.api import asolve, open_solver, solve
    from reasoner.errors import ReasonerError
    from reasoner.settings import Settings
    from reasoner.solver.interface import Solver
    from reasoner.types.problem import Message, Problem
    from reasoner.types.result import Result, Status

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
    "open_solver",
    "solve",
]

__version__ = "0.1.0"

_MODULE_OF = {
    "Message": "types.problem",
    "Problem": "types.problem",
    "ReasonerError": "errors",
    "Result": "types.result",
    "Settings": "settings",
    "Solver": "solver.interface",
    "Status": "types.result",
    "asolve": "api",
    "open_solver": "api",
    "solve": "api",
}


def __getattr__(name: str) -> "Any":
    if name in _MODULE_OF:
        from importlib import import_module

        return getattr(import_module(f"reasoner.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'reasoner' has no attribute {name!r}")
