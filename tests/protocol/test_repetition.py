"""Circles are noticed, and right reasonings that look alike are not taken for them."""

import random
from collections.abc import Iterator

import pytest

from reasoner.protocol.repetition import RepetitionDetector, recent_text
from reasoner.types.trajectory import Step


def chars_until_loop(text: str, piece_chars: int = 5) -> int | None:
    """How much of the text is read before the loop is noticed, None where none is."""
    detector = RepetitionDetector()
    for start in range(0, len(text), piece_chars):
        detector.add(text[start : start + piece_chars])
        if detector.is_loop:
            return start + piece_chars
    return None


def reworded(seed: int, rounds: int) -> str:
    """A reasoning that says the same in other words again and again."""
    choose = random.Random(seed).choice
    sentences = (
        ("Hold on, is this right?", "Let me go over it again.", "Let me check it once more."),
        ("The train goes 80 km in one hour.", "In an hour the train makes 80 km."),
        ("So in 3 hours it goes 240 km.", "3 hours give 3 times 80, which is 240 km."),
        ("That is the distance.", "So the distance is 240 km.", "I get 240 km."),
        ("But does it stop on the way?", "But maybe it stops somewhere.", "Hmm, it might stop."),
    )
    return " ".join(choose(options) for _ in range(rounds) for options in sentences)


SENTENCE = "Seven apples cost two coins each and the box holds nine more of them."
LOOPS = {
    "one word": "again " * 400,
    "a sentence": "So the result must be 12 after all. " * 40,
    "two sentences inside a paragraph": "First we add 4 to 9. Then we get 13 and take 4 away. "
    * 30,
    "a list that counts up": "".join(
        f"\n{n}. We look at the next case, which is like the one before, so nothing changes.\n"
        for n in range(90)
    ),
    "a paragraph": f"{SENTENCE}\n\n" * 40,
    "characters": "The digits are 0.6" + "6" * 900,
    "signs": "Sum: " + "= " * 900,
    "Chinese": "我们再检查一遍,三乘八等于二十四。" * 40,
    "Korean": "다시 확인해 보자. 답은 스물넷이다. " * 60,
    "reworded": reworded(1, 40),
    "reworded otherwise": reworded(2, 40),
    "reworded at length": "An honest start with its own words. " + reworded(3, 60),
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("piece_chars", [1, 7, 300])
def test_a_loop_is_noticed_before_its_end(text: str, piece_chars: int) -> None:
    chars = chars_until_loop(text, piece_chars)
    assert chars is not None
    assert chars < len(text)


def search_trace(seed: int) -> str:
    """What a model writes that searches for 24: the same words with other numbers."""
    draw = random.Random(seed).randint
    lines = []
    for _ in range(120):
        a, b, c = draw(1, 13), draw(1, 13), draw(1, 13)
        lines.append(f"Try {a} * {b} = {a * b}, then {a * b} + {c} = {a * b + c}. Not 24.")
    return "\n".join(lines)


SOLUTION = (
    "The farmer has 12 rows of 9 trees, which are 108 trees. Each tree gives 25 kg of apples, so "
    "there are 2700 kg. He sells a third of them at the market for 2 coins a kilogram and gets "
    "1800 coins. The rest goes to the press, where 3 kg make a litre of juice: 600 litres. A "
    "litre is sold for 5 coins, which makes 3000 coins. Both together are 4800 coins."
)
SOUND = {
    "a solution": SOLUTION,
    "a solution, checked": f"{SOLUTION}\n\nLet me check that.\n\n{SOLUTION}",
    "a solution, checked twice": "\n\nLet me check that.\n\n".join([SOLUTION] * 3),
    "a table": "\n".join(f"If n = {n}, then n * n + 3 = {n * n + 3}." for n in range(150)),
    "a search": search_trace(4),
    "a sum": " + ".join(map(str, range(400))),
    "equations": "\n".join(f"\\frac{{{n}}}{{2}} x + {n + 1} y &= {n * 7} \\\\" for n in range(90)),
    "a table's rule": "| a | b |\n" + "|" + "-" * 200 + "|",
    "code": "\n".join(f"    if value == {n}:\n        return {n * 31 % 97}" for n in range(90)),
    "nothing": "",
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_a_sound_reasoning_is_let_alone(text: str) -> None:
    assert chars_until_loop(text) is None


def test_what_was_said_in_earlier_steps_counts() -> None:
    circle = reworded(5, 60)
    half = len(circle) // 2
    detector = RepetitionDetector(circle[:half])
    assert not detector.is_loop
    detector.add(circle[half:])
    assert detector.is_loop
    alone = RepetitionDetector()
    alone.add(circle[half : half + 600])
    assert not alone.is_loop


def steps(count: int) -> Iterator[Step]:
    return (Step(text=f"Step {number}: {'x' * 90}") for number in range(count))


def test_the_last_steps_are_looked_back_on() -> None:
    text = recent_text([*steps(200)])
    assert text.endswith(f"Step 199: {'x' * 90}\n\n")
    assert len(text) == 6000
    assert recent_text([]) == ""
