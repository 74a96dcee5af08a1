"""Proposing several different next steps in one reply (Tree of Thoughts, Yao et al. 2023)."""

import re
from collections.abc import Sequence

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.prune import merge_duplicates
from reasoner.types.problem import Problem

__all__ = ["parse_proposals", "propose_children", "steps_prompt"]

PROPOSE_PROMPT = (
    "{question}\n\n{so_far}Propose {count} different possibilities for the next step only, each "
    "complete in itself, one per line, numbered from 1. Write nothing else."
)
LIST_MARKER = re.compile(r"^\s{0,8}(?:\d{1,3}[.):]|[-*•])\s+")
MAX_PROPOSAL_CHARACTERS = 2000


async def propose_children(
    problem: Problem,
    context: SearchContext,
    node: SearchNode,
    count: int,
    *,
    drop_refuted: bool = True,
) -> list[SearchNode]:
    """The node's new children: up to `count` next steps from one reply of the model.

    They differ because the model generates them in one list. With `drop_refuted`, refuted ones are
    left out, unless all are refuted. Raises UsageError where the protocol marks steps by tokens,
    and what the context's `ask_model` does.
    """
    text = PROPOSE_PROMPT.format(question=problem.question, so_far=steps_prompt(node), count=count)
    reply = await context.ask_model(problem.model_copy(update={"question": text}), node.number)
    proposals = merge_duplicates(
        [_proposed_child(context, node, step) for step in parse_proposals(reply)[:count]]
    )
    for child in proposals:
        context.emit_step(child.trajectory, child.number)
    if drop_refuted:
        await gather_all(_verify_child(context, child) for child in proposals)
    children = [child for child in proposals if child.refutation is None] or proposals[:1]
    node.children += children
    for child in proposals:
        child.pruned = child not in children
        context.emit_node(child)
    return children


def parse_proposals(reply: str) -> list[str]:
    """The proposals in a reply: its numbered lines, or all of its lines where none is numbered."""
    nonblank = [line for line in reply.splitlines() if line.strip()]
    numbered = [line for line in nonblank if LIST_MARKER.match(line)]
    return [
        LIST_MARKER.sub("", line).strip()[:MAX_PROPOSAL_CHARACTERS] for line in numbered or nonblank
    ]


def steps_prompt(node: SearchNode) -> str:
    """The part of a prompt that lists the steps up to a node; empty where there are none."""
    steps: Sequence[str] = [step.text for step in node.trajectory.steps]
    return "Steps so far:\n" + "\n".join(steps) + "\n\n" if steps else ""


def _proposed_child(context: SearchContext, node: SearchNode, step: str) -> SearchNode:
    return SearchNode(
        context.policy.insert_step(node.trajectory, step), next(context.trajectory_numbers), node
    )


async def _verify_child(context: SearchContext, child: SearchNode) -> None:
    child.refutation = await context.verify_step(child.new_text, child.number, child.step_index)
