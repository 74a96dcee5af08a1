"""What was said in a chat: what the model is shown of it, and what the history keeps."""

from dataclasses import dataclass

from reasoner.errors import UsageError
from reasoner.problem import Message, Problem
from reasoner.result import Result
from reasoner.store.record import Turn
from reasoner.store.recorder import Recorder

__all__ = ["Conversation", "Exchange"]


@dataclass(frozen=True)
class Exchange:
    """A question and what came of it; `turn` is its number in the record."""

    problem: Problem
    answer: str
    result: Result | None
    turn: int | None
    attempt: int = 0
    """How often the question was answered before."""

    def messages(self, summaries: bool) -> tuple[Message, ...]:
        """What later turns see: no reasoning, or with `summaries` the steps' own summaries."""
        if not self.answer.strip():
            return ()
        steps = self.result.reasoning if summaries and self.result else ()
        told = [step.summary.strip() for step in steps if step.summary]
        return (
            Message(role="user", content=self.problem.question),
            Message(role="assistant", content="\n\n".join([*told, self.answer])),
        )


class Conversation:
    """The exchanges of a talk, oldest first."""

    def __init__(self, recorder: Recorder, turns: list[Turn]) -> None:
        self.recorder = recorder
        self.exchanges = [_resumed(turn) for turn in turns]
        self._before: tuple[Message, ...] = ()

    @property
    def last(self) -> Exchange:
        """Raises UsageError when nothing was said yet."""
        if not self.exchanges:
            raise UsageError("nothing was said yet")
        return self.exchanges[-1]

    def messages(self, summaries: bool = False, count: int | None = None) -> tuple[Message, ...]:
        """What the model is shown of the first `count` exchanges, or of all."""
        told = [m for exchange in self.exchanges[:count] for m in exchange.messages(summaries)]
        return (*self._before, *told)

    def add(self, problem: Problem, result: Result, attempt: int = 0) -> None:
        turn = self.recorder.add(problem, result)
        self.exchanges.append(Exchange(problem, result.answer, result, turn, attempt))

    def undo(self) -> Exchange:
        """Take the last exchange out of the talk; it stays in the record."""
        gone = self.last
        self.recorder.drop(gone.turn)
        self.exchanges.pop()
        return gone

    def clear(self) -> None:
        """Begin anew; what was said is another conversation of the history."""
        self.exchanges.clear()
        self._before = ()
        self.recorder.renew()

    def fork(self) -> str:
        """Go on in a copy; the id of the conversation that stays as it is."""
        before = self.recorder.conversation
        self.recorder.fork()
        return before

    def shorten(self, count: int, instead: tuple[Message, ...] = ()) -> None:
        """Show the model the oldest `count` exchanges no more, but `instead` of them; the record
        keeps them."""
        del self.exchanges[:count]
        self._before = instead


def _resumed(turn: Turn) -> Exchange:
    problem = Problem(question=turn.question, system=turn.system)
    return Exchange(problem, turn.answer, turn.result, turn.id)
