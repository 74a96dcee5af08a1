"""The tree of a search, built from its events."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reasoner.trace.state import TraceNode
from reasoner.types.events import (
    CandidateEvent,
    Event,
    NodeEvent,
    ResultEvent,
    StepEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.types.result import Result
from reasoner.types.trajectory import Step
from reasoner.types.verdict import Verdict

__all__ = ["SearchTree"]

MAX_UNFINISHED_CHARACTERS = 4000
"""Characters kept of text that is being generated."""
Key = tuple[int, bool]
"""Identifies a node within its trajectory: its number of steps, and whether it has its answer."""


@dataclass(eq=False, slots=True)
class _Trajectory:
    """A trajectory: its nodes, its last one (`tip`), and the steps and verdicts that have no node
    yet."""

    states: dict[Key, TraceNode] = field(default_factory=dict)
    tip: TraceNode | None = None
    steps: dict[int, Step] = field(default_factory=dict)
    verdicts: list[VerdictEvent] = field(default_factory=list)
    text: str = ""


class SearchTree:
    """The tree of a search. `add_event` takes the events in order.

    `root` is the question; each node below it is a step or an answer. `change_count` counts the
    events that changed what can be shown; `unfinished_trajectories` has the numbers of the
    trajectories that are being generated; `candidates` are the answers' nodes.
    """

    def __init__(self) -> None:
        self.root = TraceNode(0, None)
        self.result: Result | None = None
        self.change_count = 0
        self.unfinished_trajectories: set[int] = set()
        self.candidates: list[TraceNode] = []
        self._trajectories: dict[int, _Trajectory] = {}
        self._count = 0
        self._time = 0.0

    def __len__(self) -> int:
        return self._count

    def add_event(self, event: Event, seconds: float = 0.0) -> None:
        """Add the next event, emitted `seconds` seconds after the start of the run."""
        self._time = seconds
        self.change_count += event.kind != "notice"
        if isinstance(event, TextEvent):
            self._add_text(event)
        elif isinstance(event, StepEvent):
            self._add_step(event)
        elif isinstance(event, NodeEvent):
            self._add_node(event)
        elif isinstance(event, VerdictEvent):
            self._add_verdict(event)
        elif isinstance(event, CandidateEvent):
            self._add_candidate(event)
        elif isinstance(event, ResultEvent):
            self._add_result(event.result)

    def nodes(self) -> Iterator[TraceNode]:
        """Every node but the question, each before its children."""
        return self.root.descendants()

    def best_path(self) -> list[TraceNode]:
        """The nodes from the question to the chosen answer; before that is known, to the best
        candidate; before there is one, along the best scores. Empty when no node is better than
        the others."""
        leaf = self._leaf()
        if leaf is None:
            return []
        return [leaf, *leaf.ancestors()][::-1]

    def tips(self) -> list[TraceNode]:
        """The last nodes of the trajectories that are being generated."""
        tips = (self._trajectories[number].tip for number in sorted(self.unfinished_trajectories))
        return [tip for tip in tips if tip is not None]

    def unfinished_text(self, state: TraceNode) -> str:
        """The text being generated after a node; empty unless it is its trajectory's last node."""
        trajectory = None if state.trajectory is None else self._trajectories[state.trajectory]
        return trajectory.text if trajectory is not None and trajectory.tip is state else ""

    # -- reading events --------------------------------------------------------------------

    def _trajectory(self, number: int) -> _Trajectory:
        return self._trajectories.setdefault(number, _Trajectory())

    def _add_text(self, event: TextEvent) -> None:
        trajectory = self._trajectory(event.path)
        if trajectory.tip is not None and trajectory.tip.done and not trajectory.tip.pruned:
            return  # the chosen answer is emitted again at the end
        trajectory.text = (trajectory.text + event.text)[-MAX_UNFINISHED_CHARACTERS:]
        self.unfinished_trajectories.add(event.path)

    def _add_step(self, event: StepEvent) -> None:
        trajectory = self._finish_text(event.path)
        trajectory.steps[event.index] = event.step
        node = trajectory.states.get((event.index + 1, False))
        if node is not None and node.pruned:
            self._regenerate(trajectory, node)
        elif node is not None:
            node.step = trajectory.steps.pop(event.index)
        elif (before := trajectory.states.get((event.index, False))) is not None:
            self._new_node(event.path, (event.index + 1, False), before)

    def _add_node(self, event: NodeEvent) -> None:
        text = self._trajectory(event.path).text if event.done else ""
        trajectory, key = self._finish_text(event.path), (event.steps, event.done)
        state = trajectory.states.get(key)
        if state is None:
            state = self._new_branch(event)
        elif state.pruned and not event.pruned:
            state = self._regenerate(trajectory, state)
        state.text = text or state.text
        if event.same is not None and state.same is None:
            self._count_copy(event)
        state.value_score, state.visits = event.value, event.visits
        state.pruned, state.same = event.pruned, event.same

    def _add_verdict(self, event: VerdictEvent) -> None:
        trajectory = self._trajectory(event.path)
        state = self._find_judged(trajectory, event.step)
        if state is None or state.pruned:
            trajectory.verdicts.append(event)
        else:
            _attach(state, event.verdict)

    def _add_candidate(self, event: CandidateEvent) -> None:
        trajectory = self._finish_text(event.path)
        parent = trajectory.tip or self.root
        state = self._find_judged(trajectory, None)
        if state is None:  # a trajectory without text events
            state = self._new_node(event.path, (parent.steps, True), parent)
        state.candidate = event
        self.candidates.append(state)

    def _add_result(self, result: Result) -> None:
        self.result = result
        number = result.candidates[0].number if result.candidates else 0
        trajectory = self._trajectory(number)
        parent = trajectory.tip or self.root
        unplaced = sorted(trajectory.steps) if trajectory.tip is None else ()
        for index in unplaced:
            parent = self._new_node(number, (index + 1, False), parent)
        answer_node = self._find_judged(trajectory, None)
        if answer_node is None and result.answer:
            answer_node = self._new_node(number, (parent.steps, True), parent)
        if answer_node is not None:
            answer_node.text = result.answer
            for verdict in result.verdicts:
                _attach(answer_node, verdict)
        for number in self.unfinished_trajectories:
            self._trajectories[number].text = ""
        self.unfinished_trajectories.clear()
        self._correct(answer_node, result)

    def _correct(self, state: TraceNode | None, result: Result) -> None:
        """Replace the steps by those of the result, whose decisions may have been made later."""
        while state is not None:
            index = state.steps - 1
            step = result.reasoning[index] if 0 <= index < len(result.reasoning) else None
            if step and state.step and step.text == state.step.text:
                state.step = step
            state = state.parent

    # -- adding nodes ---------------------------------------------------------------------------

    def _finish_text(self, number: int) -> _Trajectory:
        """The trajectory, after its unfinished text has become a step or an answer."""
        trajectory = self._trajectory(number)
        trajectory.text = ""
        self.unfinished_trajectories.discard(number)
        return trajectory

    def _new_branch(self, event: NodeEvent) -> TraceNode:
        """Add a new node, after nodes for the steps before it that have none yet."""
        trajectory = self._trajectory(event.path)
        parent = self.root if event.parent is None else self._find(event.parent, event.forked)
        for index in sorted(index for index in trajectory.steps if index < event.steps):
            node = trajectory.states.get((index + 1, False))
            parent = node or self._new_node(event.path, (index + 1, False), parent)
        key = (event.steps, event.done)
        if event.done:
            parent = trajectory.states.get((max(event.steps, event.forked), False), parent)
        return trajectory.states.get(key) or self._new_node(event.path, key, parent)

    def _find(self, number: int, steps: int) -> TraceNode:
        trajectory = self._trajectories.get(number)
        if trajectory is None:
            return self.root
        return trajectory.states.get((steps, False)) or trajectory.tip or self.root

    def _new_node(self, number: int, key: Key, parent: TraceNode) -> TraceNode:
        """Add a node below another, with the step and verdicts that were waiting for it."""
        self._count += 1
        trajectory, (steps, done) = self._trajectory(number), key
        state = TraceNode(self._count, number, steps, done, parent, seconds=self._time)
        parent.children.append(state)
        trajectory.states[key] = trajectory.tip = state
        index = None if done else steps - 1
        if index is not None:
            state.step = trajectory.steps.pop(index, None)
        for event in trajectory.verdicts:
            if event.step == index:
                _attach(state, event.verdict)
        trajectory.verdicts = [event for event in trajectory.verdicts if event.step != index]
        return state

    def _regenerate(self, trajectory: _Trajectory, pruned: TraceNode) -> TraceNode:
        """Add a node in place of a pruned one, which stays beside it."""
        assert pruned.trajectory is not None
        return self._new_node(
            pruned.trajectory, (pruned.steps, pruned.done), pruned.parent or self.root
        )

    def _find_judged(self, trajectory: _Trajectory, step: int | None) -> TraceNode | None:
        """The node of a step, or of the answer when `step` is None."""
        if step is not None:
            return trajectory.states.get((step + 1, False))
        return trajectory.tip if trajectory.tip is not None and trajectory.tip.done else None

    def _count_copy(self, event: NodeEvent) -> None:
        original = self._trajectories.get(event.same) if event.same is not None else None
        state = original.states.get((event.steps, event.done)) if original else None
        if state is not None:
            state.copies += 1

    def _leaf(self) -> TraceNode | None:
        """The last node of the best trajectory, as far as that is known."""
        if self.result is not None:
            number = self.result.candidates[0].number if self.result.candidates else 0
            return self._trajectory(number).tip
        if self.candidates:
            return max(self.candidates, key=lambda state: state.score or 0.0)
        state = self.root
        while children := [child for child in state.children if not child.pruned]:
            if len(children) > 1 and all(child.value_score is None for child in children):
                break
            state = max(
                children, key=lambda child: -1.0 if child.value_score is None else child.value_score
            )
        return None if state is self.root else state


def _attach(state: TraceNode, verdict: Verdict) -> None:
    if verdict not in state.verdicts:
        state.verdicts.append(verdict)
