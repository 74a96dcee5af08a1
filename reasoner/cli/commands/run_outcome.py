"""What came of answering one question with `reasoner ask`."""

from collections.abc import Callable
from typing import NamedTuple

from reasoner.types.result import Result

__all__ = ["RunOutcome"]


class RunOutcome(NamedTuple):
    """A result, and how the run that gave it ended."""

    result: Result
    interrupted: bool = False
    dated: bool = False
    """Whether the answer depends on the day it was given."""
    check_trace: Callable[[], None] = lambda: None
    """Raises ReasonerError when the trace could not be written."""
