"""Proposing several different next steps in one reply (Tree of Thoughts, Yao et al. 2023)."""

import re
from collections.abc import Sequence

from reasoner.operators.node import Node
from reasoner.operators.prune import merge
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["lines", "propose", "so_far"]

PROPOSE_PROMPT = (
    "{question}\n\n{so_far}Propose {count} different possibilities for the next step only, each "
    "complete in itself, one per line, numbered from 1. Write nothing else."
)
LIST_MARKER = re.compile(r"^\s{0,8}(?:\d{1,3}[.):]|[-*•])\s+")
MAX_PROPOSAL_CHARACTERS = 2000


async def propose(
    problem: Problem, context: Tools, node: Node, count: int, *, prune: bool = True
) -> list[Node]:
    """The node's new children: up to `count` next steps from one reply of the model.

    They differ because the model generates them in one list. With `prune`, refuted ones are left
    out, unless all are refuted. Raises UsageError where the protocol marks steps by tokens, and
    what the context's `ask` does.
    """
    text = PROPOSE_PROMPT.format(question=problem.question, so_far=so_far(node), count=count)
    reply = await context.ask(problem.model_copy(update={"question": text}), node.number)
    proposals = merge([_proposed_child(context, node, step) for step in lines(reply)[:count]])
    for child in proposals:
        context.tell_step(child.path, child.number)
    if prune:
        await together(_verify_child(context, child) for child in proposals)
    children = [child for child in proposals if child.refuted is None] or proposals[:1]
    node.children += children
    for child in proposals:
        child.pruned = child not in children
        context.tell(child)
    return children


def lines(reply: str) -> list[str]:
    """The proposals in a reply: its numbered lines, or all of its lines where none is numbered."""
    nonblank = [line for line in reply.splitlines() if line.strip()]
    numbered = [line for line in nonblank if LIST_MARKER.match(line)]
    return [
        LIST_MARKER.sub("", line).strip()[:MAX_PROPOSAL_CHARACTERS] for line in numbered or nonblank
    ]


def so_far(node: Node) -> str:
    """The part of a prompt that lists the steps up to a node; empty where there are none."""
    steps: Sequence[str] = [step.text for step in node.path.steps]
    return "Steps so far:\n" + "\n".join(steps) + "\n\n" if steps else ""


def _proposed_child(context: Tools, node: Node, step: str) -> Node:
    return Node(context.policy.place(node.path, step), next(context.numbers), node)


async def _verify_child(context: Tools, child: Node) -> None:
    child.refuted = await context.check_step(child.said, child.number, child.step)
