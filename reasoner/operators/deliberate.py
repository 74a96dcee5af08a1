"""State evaluation by the policy itself, as in Tree of Thoughts (Yao et al. 2023).

The policy's judgement is read from its logits, so no reply has to be parsed.
"""

from collections.abc import Sequence
from string import ascii_uppercase

from reasoner.operators.node import Node
from reasoner.operators.propose import so_far
from reasoner.operators.together import together
from reasoner.operators.tools import Tools
from reasoner.problem import Problem

__all__ = ["MOST_STATES", "judge", "vote"]

MOST_STATES = len(ascii_uppercase)
"""The maximum number of states in one vote: each has a letter."""
VOTE_PROMPT = (
    "{question}\n\nHere are some attempts, each up to where it has come:\n\n{states}\n\nWhich of "
    "them is the most promising? Reply with its letter only."
)
JUDGE_PROMPT = (
    "{question}\n\n{so_far}Is everything so far right, and can it lead to the right answer? Reply "
    "with yes or no only."
)


async def vote(problem: Problem, context: Tools, nodes: Sequence[Node]) -> None:
    """Score nodes relative to each other: the probability that the model would choose each.

    The states are listed in both orders and the two probabilities are averaged, because models
    prefer certain positions. At most MOST_STATES nodes take part; the others score 0.
    """
    voted = nodes[:MOST_STATES]
    forward, backward = await together(
        _choice_probabilities(problem, context, order) for order in (voted, voted[::-1])
    )
    for node in nodes[MOST_STATES:]:
        node.score = 0.0
    for node, first, second in zip(voted, forward, backward[::-1], strict=True):
        node.score = (first + second) / 2
        context.tell(node)


async def judge(problem: Problem, context: Tools, nodes: Sequence[Node]) -> None:
    """Score each node by itself: the probability of "yes" against "no"."""

    async def judge_node(node: Node) -> None:
        text = JUDGE_PROMPT.format(question=problem.question, so_far=so_far(node))
        question = problem.model_copy(update={"question": text})
        yes, _ = await context.choose(question, ("yes", "no"))
        node.score = yes
        context.tell(node)

    await together(map(judge_node, nodes))


async def _choice_probabilities(
    problem: Problem, context: Tools, nodes: Sequence[Node]
) -> tuple[float, ...]:
    letters = ascii_uppercase[: len(nodes)]
    states = "\n\n".join(
        f"{letter}:\n{_state_text(node)}" for letter, node in zip(letters, nodes, strict=True)
    )
    text = VOTE_PROMPT.format(question=problem.question, states=states)
    return await context.choose(problem.model_copy(update={"question": text}), letters)


def _state_text(node: Node) -> str:
    """The texts of all steps up to a node, and its answer."""
    return "\n".join([*(step.text for step in node.path.steps), node.path.answer]).strip()
