"""Separates generated text into reasoning and answer at a family's marks, as the text grows."""

from collections.abc import Sequence

from reasoner.types.events import Channel
from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["MarkScanner", "Span"]

Span = tuple[Channel, str]
"""A piece of visible text with what it is: reasoning or answer."""

QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}
"""A mark between a pair of these is talk about the mark; it is text."""
WRAPPERS = {"<answer>": "</answer>", "<response>": "</response>"}
"""Tags around a whole answer, which are dropped after a block of reasoning."""


class MarkScanner:
    """Splits a reply into spans; marks themselves are dropped, unless they are quoted.

    With `inside` the text begins within a block of reasoning. Text outside of blocks goes to
    `outer`. Without `marks`, a model may use some that nothing announced: an opening of
    `start_marks` at the beginning of the reply, or a closing of `closing_marks` anywhere, makes
    these the marks. What may be the beginning of a mark is held back until more text decides;
    `held` is what an earlier round held back.
    """

    def __init__(
        self,
        marks: ReasoningMarks | None,
        *,
        inside: bool = False,
        outer: Channel = "answer",
        start_marks: Sequence[ReasoningMarks] = (),
        closing_marks: Sequence[ReasoningMarks] = (),
        held: str = "",
    ) -> None:
        self.marks, self.inside = marks, inside
        self._outer: Channel = outer
        self.start_marks, self.closing_marks = tuple(start_marks), tuple(closing_marks)
        self.held, self._last = held, ""
        self._answer_began = False
        self._wrapper: str | None = None
        self._spans: list[Span] = []

    @property
    def undecided(self) -> bool:
        """Whether the reply may still use marks that nothing announced."""
        return self.marks is None and bool(self.start_marks or self.closing_marks)

    def feed(self, text: str) -> list[Span]:
        """Return the spans that `text` completes."""
        self.held += text
        if self.start_marks and not self._decide_marks():
            return []
        self._scan(final=False)
        return self._take()

    def close(self) -> list[Span]:
        """Return what was held back; the beginning of a mark that never came is dropped."""
        self.start_marks = ()
        self._scan(final=True)
        if len(self.held) > 1 and self._sought():
            self.held = self.held[: len(self.held) - self._partial_mark()]
        self._emit(self.held)
        self.held = ""
        return self._take()

    def set_outside(self) -> None:
        """Leave the block: the program has closed it. The beginning of a mark is dropped."""
        self.held, self._last, self.inside = "", "", False

    def _decide_marks(self) -> bool:
        """Whether the beginning of the reply shows if it opens a block; it becomes `marks`."""
        begun = self.held.lstrip()
        for marks in self.start_marks:
            if any(begun.startswith(opening) for opening in marks.openings):
                self.marks, self.start_marks, self._outer = marks, (), "answer"
                return True
        openings = [opening for marks in self.start_marks for opening in marks.openings]
        if any(opening.startswith(begun) for opening in openings):
            return False
        self.start_marks = ()
        return True

    def _take(self) -> list[Span]:
        spans, self._spans = self._spans, []
        return spans

    def _emit(self, text: str) -> None:
        if not text:
            return
        self._last = text[-1]
        if not self.inside:
            self._answer_began = self._answer_began or bool(text.strip())
        self._spans.append(("reasoning" if self.inside else self._outer, text))

    def _sought(self) -> list[str]:
        if self.marks is None:
            return [marks.closing for marks in self.closing_marks]
        marks = list(self.marks.all)
        if not self.inside and self._wrapper:
            marks.append(self._wrapper)
        elif not self.inside and not self._answer_began:
            marks += WRAPPERS
        return marks

    def _scan(self, *, final: bool) -> None:
        while True:
            sought = self._sought()
            found = [(self.held.find(mark), -len(mark), mark) for mark in sought]
            start, size, mark = min((hit for hit in found if hit[0] >= 0), default=(-1, 0, ""))
            if start < 0:
                break
            end = start - size
            if not final and self._is_open_ended(start, end, mark, sought):
                self._emit(self.held[:start])
                self.held = self.held[start:]
                return
            begun = mark in WRAPPERS and bool(self.held[:start].strip())
            if begun or self._is_quoted(start, end):
                self._emit(self.held[:end])
            else:
                self._emit(self.held[:start])
                self._pass(mark)
            self.held = self.held[end:]
        if not final:
            kept = len(self.held) - self._partial_mark()
            self._emit(self.held[:kept])
            self.held = self.held[kept:]

    def _is_open_ended(self, start: int, end: int, mark: str, sought: Sequence[str]) -> bool:
        """Whether the text after a mark decides if it is quoted, or another, longer mark."""
        if end == len(self.held) and self._before(start) in QUOTES:
            return True
        rest = self.held[start:]
        return any(other != mark and other.startswith(rest) for other in sought)

    def _before(self, start: int) -> str:
        return self.held[start - 1] if start else self._last

    def _is_quoted(self, start: int, end: int) -> bool:
        after = self.held[end : end + 1]
        return bool(after) and QUOTES.get(self._before(start)) == after

    def _pass(self, mark: str) -> None:
        """Enter or leave a block at a mark that is dropped."""
        if self.marks is None:
            self.marks = next(marks for marks in self.closing_marks if marks.closing == mark)
            self._outer = "answer"
            self._spans = [("reasoning", text) for _, text in self._spans]
        elif mark in self.marks.openings:
            self.inside = True
        elif mark == self.marks.closing:
            self.inside = False
        elif mark in WRAPPERS:
            self._wrapper = WRAPPERS[mark]
        elif mark == self._wrapper:
            self._wrapper = None
        self._last = ""

    def _partial_mark(self) -> int:
        """The length of the longest end of the held text that begins a mark."""
        sought = self._sought()
        longest = max(map(len, sought), default=0)
        for size in range(min(len(self.held), longest), 0, -1):
            tail = self.held[-size:]
            if any(mark.startswith(tail) for mark in sought):
                return size
        return 0
