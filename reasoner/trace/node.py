"""The nodes of a search tree as plain data: what `reasoner trace --json` prints."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from reasoner.trace.state import TraceNode, mean_logprob
from reasoner.trace.tree import SearchTree
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import Decision
from reasoner.types.verdict import Verdict

__all__ = ["TreeNode", "tree_nodes"]


class TreeNode(BaseModel):
    """A node: its place in the tree, its last step, and the scores and verdicts of both.

    `parent` is another node's `id`, None for a child of the question. `path` is the trajectory's
    number. `mean_logprob` is in nats per token. `text` is the step's, or the answer's when `done`,
    or an unfinished step's. `seconds` is the time of the node's first event since the start.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    parent: int | None
    path: int
    step: int | None
    done: bool
    best: bool
    pruned: bool
    same: int | None
    copies: int
    value: float | None
    visits: int
    name: str | None = None
    text: str = ""
    summary: str | None = None
    reflection: str | None = None
    decision: Decision | None = None
    call: ToolCall | None = None
    tokens: int = 0
    mean_logprob: float | None = None
    final: str | None = None
    standing: float | None = None
    verdicts: tuple[Verdict, ...] = ()
    seconds: float = 0.0


def tree_nodes(tree: SearchTree) -> Iterator[TreeNode]:
    """Every node of the tree, parents before children."""
    best = {state.id for state in tree.best_path()}
    for state in tree.nodes():
        yield _node(tree, state, best=state.id in best)


def _node(tree: SearchTree, state: TraceNode, *, best: bool) -> TreeNode:
    assert state.trajectory is not None
    parent, step, candidate = state.parent, state.step, state.candidate
    fields = step.model_dump(exclude={"forced", "logprob"}) if step else {}
    fields["text"] = (step.text if step else state.text) or tree.unfinished_text(state)
    return TreeNode(
        id=state.id,
        parent=parent.id if parent is not None and parent.trajectory is not None else None,
        path=state.trajectory,
        step=state.steps - 1 if step else None,
        done=state.done,
        best=best,
        pruned=state.pruned,
        same=state.same,
        copies=state.copies,
        value=state.value_score,
        visits=state.visits,
        mean_logprob=mean_logprob(step) if step else None,
        final=candidate.final if candidate else None,
        standing=candidate.standing if candidate else None,
        verdicts=tuple(state.verdicts),
        seconds=state.seconds,
        **fields,
    )
