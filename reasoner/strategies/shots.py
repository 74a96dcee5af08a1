"""Worked examples that a model sees before it writes a program: they show how little is needed.

With them the default model's programs are shorter by almost half, and as often right (README).
The problems are our own.
"""

from reasoner.problem import Message

__all__ = ["SHOTS"]

_SOLVED = (
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
    ),
    (
        "Tim spent 3/5 of his money on a game and then $9 on lunch. He had $11 left. How much "
        "money did he have at first?",
        "# what he had before lunch\n"
        "before_lunch = 11 + 9\n"
        "# that is the 2/5 that the game left of his money\n"
        "at_first = before_lunch / (1 - 3 / 5)\n"
        "print(round(at_first))",
    ),
)
SHOTS = tuple(
    message
    for question, code in _SOLVED
    for message in (
        Message(role="user", content=question),
        Message(role="assistant", content=f"```python\n{code}\n```"),
    )
)
"""Turns of a conversation, to stand before the question."""
