"""State evaluation by the policy itself, as in Tree of Thoughts (Yao et al. 2023).

The policy's judgement is read from its logits, so no reply has to be parsed.
"""

from collections.abc import Sequence
from string import ascii_uppercase

from reasoner.concurrency.gather import gather_all
from reasoner.search.context import SearchContext
from reasoner.search.operators.node import SearchNode
from reasoner.search.operators.propose import steps_prompt
from reasoner.types.problem import Problem

__all__ = ["MAX_VOTED_STATES", "judge_states", "vote_on_states"]

MAX_VOTED_STATES = len(ascii_uppercase)
"""The maximum number of states in one vote: each has a letter."""
VOTE_PROMPT = (
    "{question}\n\nHere are some attempts, each up to where it has come:\n\n{states}\n\nWhich of "
    "them is the most promising? Reply with its letter only."
)
JUDGE_PROMPT = (
    "{question}\n\n{so_far}Is everything so far right, and can it lead to the right answer? Reply "
    "with yes or no only."
)


async def vote_on_states(
    problem: Problem, context: SearchContext, nodes: Sequence[SearchNode]
) -> None:
    """Score nodes relative to each other: the probability that the model would choose each.

    The states are listed in both orders and the two probabilities are averaged, because models
    prefer certain positions. At most MOST_STATES nodes take part; the others score 0.
    """
    voted = nodes[:MAX_VOTED_STATES]
    forward, backward = await gather_all(
        _choice_probabilities(problem, context, order) for order in (voted, voted[::-1])
    )
    for node in nodes[MAX_VOTED_STATES:]:
        node.score = 0.0
    for node, first, second in zip(voted, forward, backward[::-1], strict=True):
        node.score = (first + second) / 2
        context.emit_node(node)


async def judge_states(
    problem: Problem, context: SearchContext, nodes: Sequence[SearchNode]
) -> None:
    """Score each node by itself: the probability of "yes" against "no"."""

    async def judge_node(node: SearchNode) -> None:
        text = JUDGE_PROMPT.format(question=problem.question, so_far=steps_prompt(node))
        question = problem.model_copy(update={"question": text})
        yes, _ = await context.option_probabilities(question, ("yes", "no"))
        node.score = yes
        context.emit_node(node)

    await gather_all(map(judge_node, nodes))


async def _choice_probabilities(
    problem: Problem, context: SearchContext, nodes: Sequence[SearchNode]
) -> tuple[float, ...]:
    letters = ascii_uppercase[: len(nodes)]
    states = "\n\n".join(
        f"{letter}:\n{_state_text(node)}" for letter, node in zip(letters, nodes, strict=True)
    )
    text = VOTE_PROMPT.format(question=problem.question, states=states)
    return await context.option_probabilities(
        problem.model_copy(update={"question": text}), letters
    )


def _state_text(node: SearchNode) -> str:
    """The texts of all steps up to a node, and its answer."""
    return "\n".join(
        [*(step.text for step in node.trajectory.steps), node.trajectory.answer]
    ).strip()
