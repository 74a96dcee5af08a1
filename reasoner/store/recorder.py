"""Writing down what was said. A history that cannot be written costs a notice, not the answer."""

from collections.abc import Callable
from typing import Any, TypeVar

from reasoner.errors import StoreError
from reasoner.problem import Problem
from reasoner.result import Result
from reasoner.settings import directories
from reasoner.store.history import History, new_id

__all__ = ["Recorder"]

T = TypeVar("T")


class Recorder:
    """Records the turns of one conversation, or none of them when it is not `enabled`.

    The file is opened for every write, so that it may be moved away meanwhile. `notice` is told
    once what went wrong.
    """

    def __init__(
        self,
        notice: Callable[[str], None],
        *,
        enabled: bool = True,
        conversation: str | None = None,
    ) -> None:
        self._notice, self._enabled = notice, enabled
        self._told = False
        self.conversation = conversation or new_id()

    def add(self, problem: Problem, result: Result) -> int | None:
        """Record a turn; its id, or None."""
        return self._try(lambda history: history.add(self.conversation, problem, result))

    def drop(self, turn: int | None) -> None:
        """Take a recorded turn out of the talk."""
        if turn is not None:
            self._try(lambda history: history.drop(turn))

    def fork(self) -> str | None:
        """Go on in a copy of the conversation; its id. The first one stays as it is."""
        fork = self._try(lambda history: history.fork(self.conversation))
        self.conversation = fork or new_id()
        return fork

    def renew(self) -> None:
        """Go on in a new, empty conversation."""
        self.conversation = new_id()

    def _try(self, work: Callable[[History], T]) -> T | Any:
        if not self._enabled:
            return None
        try:
            with History(directories().history_file) as history:
                return work(history)
        except StoreError as error:
            if not self._told:
                self._notice(f"not recorded: {error}")
            self._told = True
            return None
