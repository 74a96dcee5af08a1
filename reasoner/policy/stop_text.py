"""Texts before which an answer ends, although the model would go on."""

from collections.abc import Sequence

from reasoner.engine.constraints import Constraint, Force, Halt
from reasoner.engine.token import Finish, Token
from reasoner.protocol.mark_scanner import Span
from reasoner.protocol.protocol import Round
from reasoner.protocol.visible_text import VisibleText
from reasoner.types.trajectory import FinishReason, Trajectory

__all__ = ["StopTextFilter", "StopTextRound", "cut_answer"]


class StopTextFilter:
    """Passes a text on, in portions, up to the first of the stop texts.

    What may be the beginning of a stop text is held back until it is known. White space at the
    beginning of the text is no part of any stop text, as it is no part of the answer.
    """

    def __init__(self, stop_texts: Sequence[str]) -> None:
        self._stop_texts = stop_texts
        self._held = ""
        self._has_begun = False
        self.found = False
        """Whether a stop text has come."""

    def add(self, text: str) -> str:
        """Add a portion and return what of the text can be passed on now."""
        if self.found or not self._stop_texts:
            return "" if self.found else text
        if not self._has_begun and not text.strip():
            return text
        blanks = "" if self._has_begun else text[: len(text) - len(text.lstrip())]
        self._has_begun = True
        self._held += text[len(blanks) :]
        end = _find_first(self._held, self._stop_texts)
        self.found = end is not None
        end = len(self._held) - self._partial_length() if end is None else end
        passed, self._held = self._held[:end], "" if self.found else self._held[end:]
        return blanks + passed

    def rest(self) -> str:
        """Return what is still held back when the text ends."""
        held, self._held = self._held, ""
        return held

    def _partial_length(self) -> int:
        """The length of the longest end of the held text with which a stop text begins."""
        longest = min(len(self._held), max(map(len, self._stop_texts)) - 1)
        for size in range(longest, 0, -1):
            if any(stop.startswith(self._held[-size:]) for stop in self._stop_texts):
                return size
        return 0


class StopTextRound:
    """Wraps another round: one that writes the answer halts at the first stop text.

    Text that is forced, and reasoning, never stop an answer.
    """

    def __init__(self, inner: Round, stop_texts: Sequence[str]) -> None:
        self.channel = inner.channel
        self._inner, self._stop_texts = inner, stop_texts
        self._written = self.visible_text()
        self._forced_tokens = 0

    def visible_text(self) -> "VisibleAnswer":
        return VisibleAnswer(self._inner.visible_text(), self._stop_texts)

    def constrain(self) -> Constraint:
        if self._written.is_stopped:
            return Halt()
        constraint = self._inner.constrain()
        self._forced_tokens = len(constraint.tokens) if isinstance(constraint, Force) else 0
        return constraint

    def accept(self, token: int) -> None:
        self._inner.accept(token)
        if self._stop_texts:
            self._written.feed(Token(token, 0.0, forced=self._forced_tokens > 0))
        self._forced_tokens = max(0, self._forced_tokens - 1)

    def conclude(self, tokens: Sequence[Token], finish: Finish) -> Trajectory:
        """Return the inner round's trajectory with its answer cut."""
        return cut_answer(self._inner.conclude(tokens, finish), self._stop_texts)


class VisibleAnswer:
    """The visible text of a round: of an answer, nothing of a stop text or after it."""

    def __init__(self, inner: VisibleText, stop_texts: Sequence[str]) -> None:
        self._inner, self._answer = inner, StopTextFilter(stop_texts)

    @property
    def is_stopped(self) -> bool:
        """Whether a stop text has come."""
        return self._answer.found

    def feed(self, token: Token) -> list[Span]:
        return self._filtered(self._inner.feed(token))

    def close(self) -> list[Span]:
        spans = self._filtered(self._inner.close())
        rest = self._answer.rest()
        return [*spans, ("answer", rest)] if rest else spans

    def _filtered(self, spans: Sequence[Span]) -> list[Span]:
        passed: list[Span] = []
        for channel, text in spans:
            shown = self._answer.add(text) if channel == "answer" else text
            passed += [(channel, shown)] if shown else []
        return passed


def cut_answer(trajectory: Trajectory, stop_texts: Sequence[str]) -> Trajectory:
    """Return the trajectory with its answer up to the first stop text in it."""
    end = _find_first(trajectory.answer, stop_texts)
    if end is None:
        return trajectory
    is_cut_off = trajectory.finish_reason is FinishReason.LENGTH
    reason = FinishReason.STOP if is_cut_off else trajectory.finish_reason
    answer = trajectory.answer[:end].rstrip()
    return trajectory.model_copy(update={"answer": answer, "finish_reason": reason})


def _find_first(text: str, stop_texts: Sequence[str]) -> int | None:
    """The position of the first stop text in a text, None without any."""
    return min((i for stop in stop_texts if (i := text.find(stop)) >= 0), default=None)
