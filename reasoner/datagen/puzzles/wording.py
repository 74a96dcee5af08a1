"""Wordings of number puzzles, and the form of the reply that each one asks for."""

from collections.abc import Sequence
from random import Random

__all__ = ["phrase_question"]

Wording = tuple[str, float]
"""A template with {n} for the numbers and {t} for the target, and its relative frequency."""

EQUATION_REPLY, TAGGED_REPLY, BOXED_REPLY = "{f} = {t}", "<answer>{f}</answer>", "\\boxed{{{f}}}"
"""Templates of the reply, with {f} for the formula and {t} for the target."""

PLAIN_WORDINGS: tuple[Wording, ...] = (
    ("Use {n} to make {t}", 6),
    ("Use the numbers {n} to make {t}", 6),
    ("Use the numbers {n} to get {t}", 2),
    ("Use {n} to get {t}", 2),
    ("Use {n} to reach {t}", 1),
    ("Make {t} from {n}", 2),
    ("Make {t} with {n}", 2),
    ("Make {t} using {n}", 2),
    ("Make {t} out of the numbers {n}", 1),
    ("Reach {t} using the numbers {n}", 2),
    ("Get {t} from the numbers {n}", 1),
    ("Combine {n} to make {t}", 1),
    ("Combine {n} with +, -, *, / to reach {t}", 2),
    ("Can you reach {t} with {n}?", 1),
    ("Can you make {t} from {n}?", 1),
    ("How can I make {t} from the numbers {n}?", 1),
    ("Countdown: numbers {n}, target {t}", 2),
    ("Numbers: {n}\nTarget: {t}", 2),
    ("Numbers: {n}. Target: {t}.", 2),
    ("Target: {t}. Numbers: {n}.", 1),
    ("Using the numbers {n}, create an equation that equals {t}", 2),
    ("Using the numbers {n}, make {t}", 2),
    ("Using {n}, make {t}", 1),
    ("Write an expression with the numbers {n} that equals {t}", 1),
    ("Find an expression using the numbers {n} that equals {t}", 1),
    ("Given the numbers {n}, find an expression that equals {t}", 1),
    ("Solve this puzzle: make {t} from {n}", 1),
    ("Use numbers and basic arithmetic operations (+ - * /) to obtain {t}. Input: {n}", 2),
)
GAME_WORDINGS = (
    ("Game of 24: {n}", 3),
    ("Play the 24 game with {n}", 1),
    ("Game of 24 with {n}", 1),
)
PREFIXES = (("", 12), ("Please ", 1), ("Puzzle: ", 1), ("Question: ", 1))
SUFFIXES = (
    ("", 14),
    (" Use each number exactly once.", 2),
    (" Each number must be used exactly once.", 1),
    (" You may use +, -, * and /.", 1),
    (" Use +, -, *, / and each number exactly once.", 1),
    (" Think step by step.", 1),
)
TAGGED_QUESTION = (
    "Using the numbers [{n}], create an equation that equals {t}. You can use basic arithmetic "
    "operations (+, -, *, /) and each number can only be used once. Return the final answer in "
    "<answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>."
)
BOXED_QUESTION = (
    "Using only the provided numbers, create an arithmetic expression that evaluates to exactly "
    "the provided target number. You may use the operations +, -, *, and / as needed, but each "
    "number must be used exactly once. For example: \\boxed{{a + b * c}}\n\n"
    "Numbers: [{n}]\nTarget: {t}"
)
LONG_WORDING_SHARE = 0.06
"""The share of questions with one of the two long wordings."""


def phrase_question(numbers: Sequence[int], target: int, random: Random) -> tuple[str, str]:
    """Return a question for the puzzle, and the template of its reply, with {f} and {t} in it."""
    if random.random() < LONG_WORDING_SHARE:
        number_list = ", ".join(map(str, numbers))
        text, reply = random.choice(
            ((TAGGED_QUESTION, TAGGED_REPLY), (BOXED_QUESTION, BOXED_REPLY))
        )
        return text.format(n=number_list, t=target), reply
    is_game = target == 24 and len(numbers) == 4 and random.random() < 0.3
    template = _sample_wording(GAME_WORDINGS if is_game else PLAIN_WORDINGS, random)
    body = template.format(n=_number_list(numbers, random), t=target)
    prefix = _sample_wording(PREFIXES, random)
    body = body[0].lower() + body[1:] if prefix == "Please " else body
    is_sentence = body.endswith(("?", "."))
    end = "" if is_sentence else random.choice(("", "."))
    suffix = _sample_wording(SUFFIXES, random)
    end = "." if suffix and not is_sentence else end
    return f"{prefix}{body}{end}{suffix}", EQUATION_REPLY


def _sample_wording(wordings: Sequence[Wording], random: Random) -> str:
    return random.choices([text for text, _ in wordings], [weight for _, weight in wordings])[0]


def _number_list(numbers: Sequence[int], random: Random) -> str:
    texts = [str(number) for number in numbers]
    style = random.random()
    if style < 0.4:
        return " ".join(texts)
    if style < 0.7:
        return ", ".join(texts)
    if style < 0.85:
        return f"{', '.join(texts[:-1])} and {texts[-1]}"
    return f"[{', '.join(texts)}]"
