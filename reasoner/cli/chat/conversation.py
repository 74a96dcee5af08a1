"""The exchanges of a conversation: what the model sees of them and what the history records."""

from dataclasses import dataclass

from reasoner.cli.options.conversation import ConversationOptions
from reasoner.errors import UsageError
from reasoner.history.database import History
from reasoner.history.recorder import ConversationRecorder
from reasoner.history.records import HistoryTurn
from reasoner.settings import directories
from reasoner.types.problem import Message, Problem
from reasoner.types.result import Result

__all__ = ["Conversation", "Exchange", "resume_conversation"]


def resume_conversation(options: ConversationOptions) -> tuple[str | None, list[HistoryTurn]]:
    """Return the id and the turns of the conversation to continue; None and none for a new one.

    Raises UsageError when the options contradict each other or no such conversation exists, and
    StoreError when the history cannot be read.
    """
    if options.continue_last and options.cid is not None:
        raise UsageError("give --continue or --cid, not both")
    if not options.continue_last and options.cid is None:
        return None, []
    with History(directories().history_file) as history:
        conversation_id = history.find_conversation(options.cid)
        return conversation_id, history.turns(conversation_id)


@dataclass(frozen=True)
class Exchange:
    """A question and its answer; `turn` is its number in the history, None when not recorded."""

    problem: Problem
    answer: str
    result: Result | None
    turn: int | None
    attempt: int = 0
    """How many times the question was answered before."""

    def messages(self, summaries: bool) -> tuple[Message, ...]:
        """Return what later turns see: no reasoning, or with `summaries` the steps' summaries."""
        if not self.answer.strip():
            return ()
        steps = self.result.reasoning if summaries and self.result else ()
        step_summaries = [step.summary.strip() for step in steps if step.summary]
        return (
            Message(role="user", content=self.problem.question),
            Message(role="assistant", content="\n\n".join([*step_summaries, self.answer])),
        )


class Conversation:
    """The exchanges of a conversation, oldest first, and the recorder that keeps them."""

    def __init__(self, recorder: ConversationRecorder, turns: list[HistoryTurn]) -> None:
        self.recorder = recorder
        self.exchanges = [_exchange(turn) for turn in turns]
        self._preface: tuple[Message, ...] = ()

    @property
    def last(self) -> Exchange:
        """The last exchange. Raises UsageError when there is none."""
        if not self.exchanges:
            raise UsageError("nothing was said yet")
        return self.exchanges[-1]

    def messages(self, summaries: bool = False, count: int | None = None) -> tuple[Message, ...]:
        """Return the messages that the model sees of the first `count` exchanges, or of all."""
        shown = self.exchanges[:count]
        return (*self._preface, *(m for exchange in shown for m in exchange.messages(summaries)))

    def add(self, problem: Problem, result: Result, attempt: int = 0) -> None:
        """Append an exchange and record it."""
        turn = self.recorder.add_turn(problem, result)
        self.exchanges.append(Exchange(problem, result.answer, result, turn, attempt))

    def undo(self) -> Exchange:
        """Remove and return the last exchange; the history keeps it, marked as undone.

        Raises UsageError when there is none.
        """
        exchange = self.last
        self.recorder.drop_turn(exchange.turn)
        self.exchanges.pop()
        return exchange

    def clear(self) -> None:
        """Start a new conversation; the history keeps the old one."""
        self.exchanges.clear()
        self._preface = ()
        self.recorder.start_new()

    def fork(self) -> str:
        """Continue in a copy and return the id of the original, which stays as it is."""
        original_id = self.recorder.conversation
        self.recorder.fork()
        return original_id

    def shorten(self, count: int, replacement: tuple[Message, ...] = ()) -> None:
        """Show the model `replacement` instead of the oldest `count` exchanges.

        The history keeps them.
        """
        del self.exchanges[:count]
        self._preface = replacement


def _exchange(turn: HistoryTurn) -> Exchange:
    problem = Problem(question=turn.question, system=turn.system)
    return Exchange(problem, turn.answer, turn.result, turn.id)
