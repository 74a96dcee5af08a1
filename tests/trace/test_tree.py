"""The tree of a search: grown from told events, and from those of every real strategy."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from reasoner.search.strategies.registry import find_strategy
from reasoner.trace.node import tree_nodes
from reasoner.trace.state import TraceNode, mean_logprob
from reasoner.trace.tree import SearchTree
from reasoner.types.events import (
    CandidateEvent,
    Event,
    NodeEvent,
    ResultEvent,
    StepEvent,
    TextEvent,
    VerdictEvent,
)
from reasoner.types.result import CandidateSummary, Result, Status
from reasoner.types.trajectory import Decision, FinishReason, Step
from reasoner.types.verdict import Outcome, Verdict
from tests.search.strategies.test_trees import ASK, PICKY, SMALL
from tests.workbench import workbench

WRONG = Verdict(verifier="picky", outcome=Outcome.FAIL, reason="no")


def grown(events: Iterable[Event]) -> SearchTree:
    tree = SearchTree()
    for at, event in enumerate(events):
        tree.add_event(event, float(at))
    return tree


def step(path: int, index: int, text: str, **more: Any) -> StepEvent:
    return StepEvent(path=path, index=index, step=Step(text=text, **more))


def node(path: int, parent: int | None, steps: int, **more: Any) -> NodeEvent:
    return NodeEvent(path=path, parent=parent, depth=0, steps=steps, **more)


def result(number: int, *reasoning: Step) -> ResultEvent:
    best = CandidateSummary(number=number, answer="It is 4.")
    return ResultEvent(
        result=Result(
            question="q",
            answer="It is 4.",
            final="4",
            status=Status.ANSWERED,
            finish_reason=FinishReason.STOP,
            reasoning=reasoning,
            candidates=(best,),
            verdicts=(),
            strategy="beam",
            model="m",
            seed=0,
        )
    )


def said(state: TraceNode) -> str:
    return state.step.text if state.step else state.text


def outline(tree: SearchTree) -> list[tuple[int, str]]:
    """Every state as how deep it is and what it says."""
    return [(sum(1 for _ in state.ancestors()), said(state)) for state in tree.nodes()]


FORK = (
    node(0, None, 0),
    step(1, 0, "a"),
    step(2, 0, "b"),
    node(1, 0, 1),
    node(2, 0, 1),
    node(1, 0, 1, value=0.25),
    node(2, 0, 1, value=0.75),
)


def test_a_line_is_a_chain_that_ends_in_the_answer() -> None:
    first, ended = Step(text="a"), Step(text="b", decision=Decision.END)
    tree = grown([node(0, None, 0), step(0, 0, "a"), step(0, 1, "b"), result(0, first, ended)])
    assert outline(tree) == [(1, ""), (2, "a"), (3, "b"), (4, "It is 4.")]
    assert [said(state) for state in tree.best_path()] == ["", "", "a", "b", "It is 4."]
    assert [state.step.decision for state in tree.nodes() if state.step] == [None, Decision.END]


def test_a_replayed_answer_is_a_chain_without_a_beginning() -> None:
    tree = grown([step(0, 0, "a"), step(0, 1, "b"), result(0, Step(text="a"), Step(text="b"))])
    assert outline(tree) == [(1, "a"), (2, "b"), (3, "It is 4.")]


def test_forks_know_where_they_left() -> None:
    tree = grown([*FORK, step(3, 1, "c"), node(3, 2, 2, forked=1), step(2, 1, "d")])
    assert outline(tree) == [(1, ""), (2, "a"), (2, "b"), (3, "c"), (3, "d")]


def test_the_best_path_follows_values_then_answers_then_the_result() -> None:
    tree = grown(FORK)
    assert said(tree.best_path()[-1]) == "b"
    tree.add_event(node(1, 1, 1, forked=1, done=True))
    tree.add_event(
        CandidateEvent(path=1, final="4", finish_reason=FinishReason.STOP, tokens=9, value=0.5)
    )
    assert tree.best_path()[-1].candidate is not None
    tree.add_event(result(2))
    assert [said(state) for state in tree.best_path()[-2:]] == ["b", "It is 4."]


def test_a_step_drawn_anew_leaves_its_draft_behind() -> None:
    refuted = VerdictEvent(path=1, step=0, verdict=WRONG)
    again = node(1, 0, 1, pruned=True)
    events: list[Event] = [node(0, None, 0), step(1, 0, "bad"), refuted, again, step(1, 0, "good")]
    tree = grown([*events, node(1, 0, 1)])
    _, bad, good = tree.nodes()
    assert (said(bad), bad.pruned, bad.verdicts) == ("bad", True, [WRONG])
    assert (said(good), good.pruned, good.verdicts) == ("good", False, [])


def test_copies_are_counted_and_verdicts_said_once() -> None:
    told = VerdictEvent(path=1, verdict=WRONG)
    events: list[Event] = [
        *FORK,
        node(2, 0, 1, pruned=True, same=1),
        node(1, 1, 1, forked=1, done=True),
    ]
    tree = grown([*events, told, told])
    first, second = tree.root.children[0].children
    assert (first.copies, second.same, second.pruned) == (2, 1, True)
    assert first.children[0].verdicts == [WRONG]


def test_what_is_being_written_is_known_until_it_is_done() -> None:
    tree = grown([node(0, None, 0), TextEvent(path=0, channel="reasoning", text="x" * 9000)])
    [tip] = tree.tips()
    assert set(tree.unfinished_text(tip)) == {"x"}
    assert len(tree.unfinished_text(tip)) < 5000
    tree.add_event(step(0, 0, "x"))
    assert (tree.unfinished_trajectories, tree.unfinished_text(tip)) == (set(), "")


def test_a_foreign_stream_makes_a_tree_all_the_same() -> None:
    odd: list[Event] = [
        node(5, 5, 5, forked=5),
        node(6, 10**9, 10**9, forked=-3),
        step(7, 10**9, "far"),
        node(7, 7, 2, done=True),
        VerdictEvent(path=8, step=-1, verdict=WRONG),
        CandidateEvent(path=9, final=None, finish_reason=FinishReason.STOP, tokens=0),
        result(11),
    ]
    tree = grown(odd)
    assert len(list(tree.nodes())) == len(tree) == 5
    assert len(list(tree_nodes(tree))) == 5


def test_a_long_chain_needs_no_recursion() -> None:
    tree = grown([node(0, None, 0), *(step(0, index, "s") for index in range(20_000))])
    assert len(list(tree.nodes())) == 20_001
    assert len(tree.best_path()) == 20_002


def test_mean_logprob_is_of_what_the_model_chose() -> None:
    assert mean_logprob(Step(text="a", tokens=5, forced=3, logprob=-1.0)) == -0.5
    assert mean_logprob(Step(text="a", tokens=3, forced=3)) is None


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
async def test_every_strategy_makes_a_tree(tiny_gguf: Path, name: str) -> None:
    """Each finished line hangs below the steps it consists of."""
    strategy = find_strategy(name)
    async with workbench(tiny_gguf, plugins=(PICKY,), min_steps=2, max_steps=3) as bench:
        found = await strategy.search(ASK, bench.context, strategy.parse_options(SMALL[name]))
    tree = grown(bench.events)
    ended = {state.trajectory: state for state in tree.nodes() if state.candidate}
    for candidate in found.candidates:
        state = ended.get(candidate.number)
        if state is None:  # only searches tell their finished lines
            assert "linear" in (name, SMALL[name].get("outer", "linear"))
            continue
        texts = [up.step.text for up in state.ancestors() if up.step][::-1]
        steps = [step.text for step in candidate.trajectory.steps]
        assert state.done
        assert texts[len(texts) - len(steps) :] == steps or name == "nested"
    assert all(state.step or state.done or state.parent is tree.root for state in tree.nodes())


async def test_refuted_steps_are_in_the_tree(tiny_gguf: Path) -> None:
    plugins = (EntryPoint(PICKY.name, PICKY.value, PICKY.group),)
    strategy = find_strategy("beam")
    async with workbench(tiny_gguf, plugins=plugins, min_steps=2, max_steps=3) as bench:
        await strategy.search(ASK, bench.context, strategy.parse_options({"n": 8, "width": 2}))
    tree = grown(bench.events)
    verdicts = [event for event in bench.events if event.kind == "verdict"]
    refuted = [event for event in verdicts if event.step is not None]
    shown = [verdict for state in tree.nodes() if not state.done for verdict in state.verdicts]
    assert refuted
    assert len(shown) == len(refuted)
    assert any(state.pruned and state.verdicts for state in tree.nodes())
