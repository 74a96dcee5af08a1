"""Deliberate: the policy judges states itself; read from its logits, never parsed from text."""

from collections.abc import Sequence
from string import ascii_uppercase

from reasoner.operators.node import Node
from reasoner.operators.propose import so_far
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["MOST_STATES", "judge", "vote"]

MOST_STATES = len(ascii_uppercase)
VOTE = (
    "{question}\n\nHere are some attempts, each up to where it has come:\n\n{states}\n\nWhich of "
    "them is the most promising? Reply with its letter only."
)
JUDGE = (
    "{question}\n\n{so_far}Is everything so far right, and can it lead to the right answer? Reply "
    "with yes or no only."
)


async def vote(problem: Problem, tools: Tools, nodes: Sequence[Node]) -> None:
    """Score states against each other: the probability that the model would choose each.

    They are shown in both orders and the two votes are averaged, because models favour places.
    At most MOST_STATES take part; the rest score 0.
    """
    shown = nodes[:MOST_STATES]
    forth, back = await together(_vote(problem, tools, order) for order in (shown, shown[::-1]))
    for node in nodes[MOST_STATES:]:
        node.score = 0.0
    for node, one, other in zip(shown, forth, back[::-1], strict=True):
        node.score = (one + other) / 2
        tools.tell(node)


async def judge(problem: Problem, tools: Tools, nodes: Sequence[Node]) -> None:
    """Score each state by itself: the probability of yes against no."""

    async def one(node: Node) -> None:
        text = JUDGE.format(question=problem.question, so_far=so_far(node))
        asked = problem.model_copy(update={"question": text})
        yes, _ = await tools.choose(asked, ("yes", "no"))
        node.score = yes
        tools.tell(node)

    await together(map(one, nodes))


async def _vote(problem: Problem, tools: Tools, nodes: Sequence[Node]) -> tuple[float, ...]:
    letters = ascii_uppercase[: len(nodes)]
    states = "\n\n".join(
        f"{letter}:\n{_state(node)}" for letter, node in zip(letters, nodes, strict=True)
    )
    text = VOTE.format(question=problem.question, states=states)
    return await tools.choose(problem.model_copy(update={"question": text}), letters)


def _state(node: Node) -> str:
    """What was thought, and answered, up to a node."""
    return "\n".join([*(step.text for step in node.path.steps), node.path.answer]).strip()
