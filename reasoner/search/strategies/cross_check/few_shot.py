"""Few-shot examples for programs and for brief reasonings.

With them the default model's programs are shorter by almost half and as often right, and its
reasonings are shorter by more than half (bench/README.md). The problems were written for this
project.
"""

from reasoner.policy.policy import Policy
from reasoner.types.problem import Message, Problem

__all__ = ["PROGRAM_EXAMPLES", "REASONING_EXAMPLES", "with_brief_examples", "with_examples"]

_EXAMPLES = (
    (
        "A bakery bakes 6 trays of 24 rolls every morning. A third of the rolls go to a "
        "hotel, and the rest are sold in bags of 4 for $3 a bag. How much does the bakery "
        "earn with the bags in 5 days?",
        "# rolls baked every morning\n"
        "baked = 6 * 24\n"
        "# a third goes to the hotel, the rest is sold in bags\n"
        "sold = baked - baked / 3\n"
        "# bags of 4 rolls each\n"
        "bags = sold / 4\n"
        "# 3 dollars a bag, for 5 days\n"
        "earned = bags * 3 * 5\n"
        "print(earned)",
        "Every morning 6 * 24 = 144 rolls are baked.\n\n"
        "The hotel gets a third, 144 / 3 = 48 rolls, so 144 - 48 = 96 rolls are left for "
        "bags.\n\n"
        "That makes 96 / 4 = 24 bags, worth 24 * 3 = 72 dollars a day.\n\n"
        "In 5 days the bakery earns 72 * 5 = 360 dollars.\n\n"
        "The answer is \\boxed{360}.",
    ),
    (
        "Nina is twice as old as Paul was 4 years ago. Paul is 19 now. How old will Nina be "
        "in 6 years?",
        "# Paul's age 4 years ago\n"
        "paul_then = 19 - 4\n"
        "# Nina is twice that old now\n"
        "nina_now = 2 * paul_then\n"
        "# Nina's age in 6 years\n"
        "nina_then = nina_now + 6\n"
        "print(nina_then)",
        "Four years ago Paul was 19 - 4 = 15 years old.\n\n"
        "Nina is twice that old now: 2 * 15 = 30.\n\n"
        "In 6 years she will be 30 + 6 = 36.\n\n"
        "The answer is \\boxed{36}.",
    ),
    (
        "A jacket costs $80. It is marked down by 25%, and a card gives another 10% off the "
        "lower price. Sam has $70. How much money is left after buying the jacket?",
        "# the price after 25% off\n"
        "lower = 80 * (1 - 0.25)\n"
        "# another 10% off that price\n"
        "paid = lower * (1 - 0.10)\n"
        "# what is left of 70 dollars\n"
        "left = 70 - paid\n"
        "print(left)",
        "After 25% off the jacket costs 80 * 0.75 = 60 dollars.\n\n"
        "The card takes 10% off that: 60 * 0.9 = 54 dollars.\n\n"
        "Sam has 70 - 54 = 16 dollars left.\n\n"
        "The answer is \\boxed{16}.",
    ),
    (
        "Lea read 18 pages of a book on Monday, half as many on Tuesday, and 5 more on "
        "Wednesday than on both days together. 40 pages are still unread. How many pages has "
        "the book?",
        "monday = 18\n"
        "# half as many as on Monday\n"
        "tuesday = monday / 2\n"
        "# 5 more than on both days together\n"
        "wednesday = monday + tuesday + 5\n"
        "# the pages read and those still unread\n"
        "pages = monday + tuesday + wednesday + 40\n"
        "print(pages)",
        "On Tuesday Lea read 18 / 2 = 9 pages.\n\n"
        "On Monday and Tuesday together that is 18 + 9 = 27 pages, so on Wednesday she read "
        "27 + 5 = 32.\n\n"
        "She has read 27 + 32 = 59 pages, and the book has 59 + 40 = 99 pages.\n\n"
        "The answer is \\boxed{99}.",
    ),
    (
        "Two pumps fill a pool of 5400 liters. The first pumps 30 liters a minute and the "
        "second 50% more. The first runs for an hour before the second is switched on as "
        "well. How many minutes does it take in all to fill the pool?",
        "# liters a minute of the second pump, 50% more than the first\n"
        "second = 30 * 1.5\n"
        "# filled by the first pump alone in the first 60 minutes\n"
        "filled = 30 * 60\n"
        "# both together fill the rest\n"
        "together = (5400 - filled) / (30 + second)\n"
        "print(60 + together)",
        "The second pump gives 30 * 1.5 = 45 liters a minute.\n\n"
        "In the first 60 minutes the first pump fills 30 * 60 = 1800 liters, so 5400 - 1800 = "
        "3600 liters are missing.\n\n"
        "Together the pumps give 30 + 45 = 75 liters a minute and need 3600 / 75 = 48 "
        "minutes.\n\n"
        "In all it takes 60 + 48 = 108 minutes.\n\n"
        "The answer is \\boxed{108}.",
    ),
    (
        "Tim spent 3/5 of his money on a game and then $9 on lunch. He had $11 left. How much "
        "money did he have at first?",
        "# what he had before lunch\n"
        "before_lunch = 11 + 9\n"
        "# that is the 2/5 that the game left of his money\n"
        "at_first = before_lunch / (1 - 3 / 5)\n"
        "print(round(at_first))",
        "Before lunch Tim had 11 + 9 = 20 dollars.\n\n"
        "The game took 3/5 of his money, so these 20 dollars are the other 2/5.\n\n"
        "At first he had 20 / 2 * 5 = 50 dollars.\n\n"
        "The answer is \\boxed{50}.",
    ),
)
"""Rows of question, program and reasoning."""


def _turns(replies: list[str]) -> tuple[Message, ...]:
    """A conversation with the examples' questions and these replies."""
    return tuple(
        message
        for (question, *_), reply in zip(_EXAMPLES, replies, strict=True)
        for message in (
            Message(role="user", content=question),
            Message(role="assistant", content=reply),
        )
    )


PROGRAM_EXAMPLES = _turns([f"```python\n{code}\n```" for _, code, _ in _EXAMPLES])
"""Few-shot turns before a question that is to be answered by a program."""
REASONING_EXAMPLES = _turns([text for *_, text in _EXAMPLES])
"""Few-shot turns before a question that is to be answered in a few short paragraphs."""


def with_examples(problem: Problem, examples: tuple[Message, ...], policy: Policy) -> Problem:
    """The problem with few-shot examples in its history; the problem itself where the prompt would
    take more than half of the context."""
    extended = problem.model_copy(update={"history": (*examples, *problem.history)})
    return extended if 2 * policy.count_prompt_tokens(extended) <= policy.n_ctx else problem


def with_brief_examples(problem: Problem, policy: Policy) -> Problem | None:
    """The problem with examples of brief reasonings; None where the context does not hold them, or
    where the user's own system prompt already says how to reply."""
    if problem.system is not None:
        return None
    extended = with_examples(problem, REASONING_EXAMPLES, policy)
    return None if extended is problem else extended
