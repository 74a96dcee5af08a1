"""What is made wrong is wrong in one thing, and the rest of the step follows from it."""

import re
from random import Random

import pytest

from reasoner.datagen.rollouts.corrupt import CorruptedStep, corrupt_step

QUESTION = "Tom has 3 boxes with 14 pens each and 7 cats."


def made(step: str, seeds: int = 40) -> set[CorruptedStep]:
    found = {corrupt_step(step, QUESTION, Random(seed)) for seed in range(seeds)}
    return {one for one in found if one is not None}


def test_every_way_of_going_wrong() -> None:
    ways = made("The pens are \\[ 3 \\times 14 = 42 \\]\nso Tom has 42 pens.\n\n")
    assert {way.flaw for way in ways} == {"result", "operand", "operator"}
    texts = {way.text for way in ways}
    assert "The pens are \\[ 3 \\times 7 = 21 \\]\nso Tom has 21 pens.\n\n" in texts
    assert "The pens are \\[ 3 + 14 = 17 \\]\nso Tom has 17 pens.\n\n" in texts
    assert not any(re.search(r"\b42\b", text) for text in texts)


@pytest.mark.parametrize("step", ["12 / 4 = 3", "$1,200 - $200 = $1,000", "5 x 4=20 and 20 more"])
def test_the_step_never_stays_as_it_was(step: str) -> None:
    ways = made(step)
    assert ways
    assert all(way.text != step for way in ways)


def test_a_step_without_a_sum_gets_another_figure() -> None:
    assert {way.flaw for way in made("Tom has 14 pens in a box.")} == {"figure"}


def test_a_list_number_is_no_figure() -> None:
    assert made("1. Count the boxes.\n2. Count the pens.") == set()
    assert made("Step 2: count the pens.") == set()


@pytest.mark.parametrize("step", ["", "Let us begin.", "9" * 5000, "3 + 4 * 5 = 23" + " " * 9999])
def test_nothing_to_change(step: str) -> None:
    assert made(step, 3) == set()


def test_what_is_wrong_already_is_not_recomputed() -> None:
    assert {way.flaw for way in made("So 2 + 2 = 5.")} == {"figure"}
