"""Recording of a conversation. When the history cannot be written, the user gets a notice and the
answer all the same."""

from collections.abc import Callable
from typing import Any, TypeVar

from reasoner.errors import StoreError
from reasoner.history.database import History, new_conversation_id
from reasoner.settings import directories
from reasoner.types.problem import Problem
from reasoner.types.result import Result

__all__ = ["ConversationRecorder"]

T = TypeVar("T")


class ConversationRecorder:
    """Records the turns of one conversation, or none of them when it is not `enabled`.

    The file is opened for every write, so that it may be moved away in between. `notice` is called
    once, with the first error.
    """

    def __init__(
        self,
        notice: Callable[[str], None],
        *,
        enabled: bool = True,
        conversation: str | None = None,
    ) -> None:
        self._notice, self._enabled = notice, enabled
        self._has_noticed = False
        self.conversation = conversation or new_conversation_id()

    def add_turn(self, problem: Problem, result: Result) -> int | None:
        """Record a turn and return its id, or None when it was not recorded."""
        return self._try(lambda history: history.add_turn(self.conversation, problem, result))

    def drop_turn(self, turn: int | None) -> None:
        """Mark a recorded turn as dropped; None is ignored."""
        if turn is not None:
            self._try(lambda history: history.drop_turn(turn))

    def fork(self) -> str | None:
        """Continue in a copy of the conversation and return its id, or None when it could not be
        copied. The original stays as it is."""
        fork = self._try(lambda history: history.fork_conversation(self.conversation))
        self.conversation = fork or new_conversation_id()
        return fork

    def start_new(self) -> None:
        """Continue in a new, empty conversation."""
        self.conversation = new_conversation_id()

    def _try(self, work: Callable[[History], T]) -> T | Any:
        if not self._enabled:
            return None
        try:
            with History(directories().history_file) as history:
                return work(history)
        except StoreError as error:
            if not self._has_noticed:
                self._notice(f"not recorded: {error}")
            self._has_noticed = True
            return None
