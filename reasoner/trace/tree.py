"""The tree of a search, grown from its events; knows nothing about showing it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reasoner.events import (
    CandidateEvent,
    Event,
    NodeEvent,
    ResultEvent,
    StepEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.path import Step
from reasoner.result import Result
from reasoner.trace.state import State
from reasoner.verdict import Verdict

__all__ = ["SearchTree"]

LONGEST_UNFINISHED = 4000
"""Characters kept of what is being written."""
Key = tuple[int, bool]
"""Names a state within its line: how many steps it has, and whether it has its answer."""


@dataclass(eq=False, slots=True)
class _Line:
    """A line of thought: its states, and what was told of those whose place is not known yet."""

    states: dict[Key, State] = field(default_factory=dict)
    tip: State | None = None
    steps: dict[int, Step] = field(default_factory=dict)
    verdicts: list[VerdictEvent] = field(default_factory=list)
    text: str = ""


class SearchTree:
    """All that is known about a search: `feed` it the events in order.

    `root` is the question; the states below it are what was thought. `changes` counts what was
    fed and is worth looking at; `writing` are the lines that are being written just now.
    """

    def __init__(self) -> None:
        self.root = State(0, None)
        self.result: Result | None = None
        self.changes = 0
        self.writing: set[int] = set()
        self.candidates: list[State] = []
        self._lines: dict[int, _Line] = {}
        self._count = 0
        self._now = 0.0

    def __len__(self) -> int:
        return self._count

    def feed(self, event: Event, at: float = 0.0) -> None:
        """Take in the next event, which was told `at` seconds after the beginning."""
        self._now = at
        self.changes += event.kind != "notice"
        if isinstance(event, TextEvent):
            self._text(event)
        elif isinstance(event, StepEvent):
            self._step(event)
        elif isinstance(event, NodeEvent):
            self._node(event)
        elif isinstance(event, VerdictEvent):
            self._verdict(event)
        elif isinstance(event, CandidateEvent):
            self._candidate(event)
        elif isinstance(event, ResultEvent):
            self._result(event.result)

    def states(self) -> Iterator[State]:
        """Every state but the question, each before its children."""
        return self.root.below()

    def best(self) -> list[State]:
        """From the question to the chosen answer; until that is known, to the best finished line;
        until there is one, along the best values. Empty where nothing speaks for any."""
        leaf = self._leaf()
        if leaf is None:
            return []
        return [leaf, *leaf.ancestors()][::-1]

    def tips(self) -> list[State]:
        """The last states of the lines that are being written."""
        tips = (self._lines[path].tip for path in sorted(self.writing))
        return [tip for tip in tips if tip is not None]

    def unfinished(self, state: State) -> str:
        """What is being written beyond a state; empty unless it is the last one of its line."""
        line = None if state.path is None else self._lines[state.path]
        return line.text if line is not None and line.tip is state else ""

    # -- reading events --------------------------------------------------------------------

    def _line(self, path: int) -> _Line:
        return self._lines.setdefault(path, _Line())

    def _text(self, event: TextEvent) -> None:
        line = self._line(event.path)
        if line.tip is not None and line.tip.done and not line.tip.pruned:
            return  # the chosen answer, said once more
        line.text = (line.text + event.text)[-LONGEST_UNFINISHED:]
        self.writing.add(event.path)

    def _step(self, event: StepEvent) -> None:
        line = self._written(event.path)
        line.steps[event.index] = event.step
        drawn = line.states.get((event.index + 1, False))
        if drawn is not None and drawn.pruned:
            self._anew(line, drawn)
        elif drawn is not None:
            drawn.step = line.steps.pop(event.index)
        elif (before := line.states.get((event.index, False))) is not None:
            self._place(event.path, (event.index + 1, False), before)

    def _node(self, event: NodeEvent) -> None:
        text = self._line(event.path).text if event.done else ""
        line, key = self._written(event.path), (event.steps, event.done)
        state = line.states.get(key)
        if state is None:
            state = self._grow(event)
        elif state.pruned and not event.pruned:
            state = self._anew(line, state)
        state.text = text or state.text
        if event.same is not None and state.same is None:
            self._count_copy(event)
        state.value, state.visits = event.value, event.visits
        state.pruned, state.same = event.pruned, event.same

    def _verdict(self, event: VerdictEvent) -> None:
        line = self._line(event.path)
        state = self._about(line, event.step)
        if state is None or state.pruned:
            line.verdicts.append(event)
        else:
            _add(state, event.verdict)

    def _candidate(self, event: CandidateEvent) -> None:
        line = self._written(event.path)
        above = line.tip or self.root
        state = self._about(line, None)
        if state is None:  # a line that was written in silence
            state = self._place(event.path, (above.steps, True), above)
        state.candidate = event
        self.candidates.append(state)

    def _result(self, result: Result) -> None:
        self.result = result
        number = result.candidates[0].number if result.candidates else 0
        line = self._line(number)
        above = line.tip or self.root
        for index in sorted(line.steps) if line.tip is None else ():  # told without a beginning
            above = self._place(number, (index + 1, False), above)
        answered = self._about(line, None)
        if answered is None and result.answer:
            answered = self._place(number, (above.steps, True), above)
        if answered is not None:
            answered.text = result.answer
            for verdict in result.verdicts:
                _add(answered, verdict)
        for path in self.writing:
            self._lines[path].text = ""
        self.writing.clear()
        self._correct(answered, result)

    def _correct(self, state: State | None, result: Result) -> None:
        """The steps as they are in the end: a decision may fall after its step was told."""
        while state is not None:
            index = state.steps - 1
            known = result.reasoning[index] if 0 <= index < len(result.reasoning) else None
            if known and state.step and known.text == state.step.text:
                state.step = known
            state = state.parent

    # -- growing ---------------------------------------------------------------------------

    def _written(self, path: int) -> _Line:
        """The line, of which a piece has just been completed."""
        line = self._line(path)
        line.text = ""
        self.writing.discard(path)
        return line

    def _grow(self, event: NodeEvent) -> State:
        """Place a state that was not known, and the steps it stands on that had no place yet."""
        line = self._line(event.path)
        above = self.root if event.parent is None else self._find(event.parent, event.forked)
        for index in sorted(index for index in line.steps if index < event.steps):
            known = line.states.get((index + 1, False))
            above = known or self._place(event.path, (index + 1, False), above)
        key = (event.steps, event.done)
        if event.done:
            above = line.states.get((max(event.steps, event.forked), False), above)
        return line.states.get(key) or self._place(event.path, key, above)

    def _find(self, path: int, steps: int) -> State:
        line = self._lines.get(path)
        if line is None:
            return self.root
        return line.states.get((steps, False)) or line.tip or self.root

    def _place(self, path: int, key: Key, above: State) -> State:
        """A new state below another, with what was told of it already."""
        self._count += 1
        line, (steps, done) = self._line(path), key
        state = State(self._count, path, steps, done, above, at=self._now)
        above.children.append(state)
        line.states[key] = line.tip = state
        index = None if done else steps - 1
        if index is not None:
            state.step = line.steps.pop(index, None)
        for event in line.verdicts:
            if event.step == index:
                _add(state, event.verdict)
        line.verdicts = [event for event in line.verdicts if event.step != index]
        return state

    def _anew(self, line: _Line, draft: State) -> State:
        """A state drawn again; what was drawn before stays beside it, pruned."""
        assert draft.path is not None
        return self._place(draft.path, (draft.steps, draft.done), draft.parent or self.root)

    def _about(self, line: _Line, step: int | None) -> State | None:
        """The state that has the step as its last, or the answer."""
        if step is not None:
            return line.states.get((step + 1, False))
        return line.tip if line.tip is not None and line.tip.done else None

    def _count_copy(self, event: NodeEvent) -> None:
        kept = self._lines.get(event.same) if event.same is not None else None
        state = kept.states.get((event.steps, event.done)) if kept else None
        if state is not None:
            state.copies += 1

    def _leaf(self) -> State | None:
        """Where the best path ends, as far as that is known."""
        if self.result is not None:
            number = self.result.candidates[0].number if self.result.candidates else 0
            return self._line(number).tip
        if self.candidates:
            return max(self.candidates, key=lambda state: state.merit or 0.0)
        state = self.root
        while kept := [child for child in state.children if not child.pruned]:
            if len(kept) > 1 and all(child.value is None for child in kept):
                break
            state = max(kept, key=lambda child: -1.0 if child.value is None else child.value)
        return None if state is self.root else state


def _add(state: State, verdict: Verdict) -> None:
    if verdict not in state.verdicts:
        state.verdicts.append(verdict)
