"""Propose: generate several different next steps in one reply (Yao et al. 2023)."""

import re
from collections.abc import Sequence

from reasoner.operators.node import Node
from reasoner.operators.prune import merge
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["lines", "propose", "so_far"]

ASKED = (
    "{question}\n\n{so_far}Propose {count} different possibilities for the next step only, each "
    "complete in itself, one per line, numbered from 1. Write nothing else."
)
MARK = re.compile(r"^\s{0,8}(?:\d{1,3}[.):]|[-*•])\s+")
LONGEST = 2000


async def propose(
    problem: Problem, tools: Tools, node: Node, count: int, *, prune: bool = True
) -> list[Node]:
    """The node's new children: up to `count` next steps out of one reply of the model.

    They differ because the model sees them side by side. With `prune`, refuted ones are left
    out, unless all are.
    """
    text = ASKED.format(question=problem.question, so_far=so_far(node), count=count)
    reply = await tools.ask(problem.model_copy(update={"question": text}), node.number)
    drawn = merge([_child(tools, node, step) for step in lines(reply)[:count]])
    for child in drawn:
        tools.tell_step(child.path, child.number)
    if prune:
        await together(_check(tools, child) for child in drawn)
    children = [child for child in drawn if child.refuted is None] or drawn[:1]
    node.children += children
    for child in drawn:
        child.pruned = child not in children
        tools.tell(child)
    return children


def lines(reply: str) -> list[str]:
    """The proposals of a reply: its numbered lines, or all its lines where none is numbered."""
    found = [line for line in reply.splitlines() if line.strip()]
    numbered = [line for line in found if MARK.match(line)]
    return [MARK.sub("", line).strip()[:LONGEST] for line in numbered or found]


def so_far(node: Node) -> str:
    """The steps that lead to a node, for a prompt; nothing where there are none."""
    steps: Sequence[str] = [step.text for step in node.path.steps]
    return "Steps so far:\n" + "\n".join(steps) + "\n\n" if steps else ""


def _child(tools: Tools, node: Node, step: str) -> Node:
    return Node(tools.policy.place(node.path, step), next(tools.numbers), node)


async def _check(tools: Tools, child: Node) -> None:
    child.refuted = await tools.check_step(child.said, child.number, child.step)
