"""Marks divide a reply into reasoning and answer, however they are cut into pieces."""

import pytest

from reasoner.protocol.mark_scanner import MarkScanner
from reasoner.protocol.marks import KNOWN_MARKS, THINK_MARKS
from reasoner.types.reasoning_marks import ReasoningMarks

BY_NAME = {marks.name: marks for marks in KNOWN_MARKS}
HARMONY = BY_NAME["harmony"]


def split(scanner: MarkScanner, text: str, size: int) -> tuple[str, str]:
    """The reasoning and the answer of a text that comes in pieces of `size` characters."""
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    spans = [span for piece in pieces for span in scanner.feed(piece)] + scanner.close()
    reasoning, answer = (
        "".join(text for channel, text in spans if channel == wanted)
        for wanted in ("reasoning", "answer")
    )
    return reasoning, answer


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("marks", KNOWN_MARKS, ids=lambda marks: marks.name)
def test_a_block_ends_at_its_mark(marks: ReasoningMarks, size: int) -> None:
    text = f"Six times seven.{marks.text_to_close}It is 42."
    reasoning, answer = split(MarkScanner(marks, inside=True), text, size)
    assert (reasoning.strip(), answer.strip()) == ("Six times seven.", "It is 42.")


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("marks", KNOWN_MARKS, ids=lambda marks: marks.name)
def test_an_unannounced_block_is_recognised(marks: ReasoningMarks, size: int) -> None:
    scanner = MarkScanner(None, outer="reasoning", start_marks=KNOWN_MARKS)
    text = f"\n{marks.text_to_open}Hm, a guess.{marks.text_to_close}It is 42."
    reasoning, answer = split(scanner, text, size)
    assert (reasoning.strip(), answer.strip()) == ("Hm, a guess.", "It is 42.")
    assert scanner.marks == marks


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("marks", "text", "reasoning", "answer"),
    [
        (THINK_MARKS, "So </think>A <think>again</think>B.", "So again", "A B."),
        (THINK_MARKS, "So </think>A, </think>done.", "So ", "A, done."),
        (
            THINK_MARKS,
            "The tag “</think>” ends it.</think>Done.",
            "The tag “</think>” ends it.",
            "Done.",
        ),
        (THINK_MARKS, "It ends.</think>Write `</think>`.", "It ends.", "Write `</think>`."),
        (THINK_MARKS, "<think>Twice.</think>Once.", "Twice.", "Once."),
        (THINK_MARKS, "Hm.</think>\n<response>\nYes.\n</response>", "Hm.", "\n\nYes.\n"),
        (THINK_MARKS, "Hm.</think>Say <answer>yes</answer>.", "Hm.", "Say <answer>yes</answer>."),
        (THINK_MARKS, "a < b, so b > a</thin", "a < b, so b > a", ""),
        (
            HARMONY,
            "Add.<|end|><|start|>assistant<|channel|>commentary<|message|>Now "
            "<|end|><|start|>assistant<|channel|>analysis<|message|>check."
            "<|end|><|start|>assistant<|channel|>final<|message|>It is 5.<|return|>",
            "Add.Now check.",
            "It is 5.",
        ),
    ],
)
def test_marks_are_dropped_unless_quoted(
    marks: ReasoningMarks, text: str, reasoning: str, answer: str, size: int
) -> None:
    assert split(MarkScanner(marks, inside=True), text, size) == (reasoning, answer)


@pytest.mark.parametrize("size", [1, 1000])
def test_an_answer_without_marks_is_left_alone(size: int) -> None:
    text = "Use <think> and </think> as in <answer>this</answer>."
    scanner = MarkScanner(None, start_marks=KNOWN_MARKS)
    assert split(scanner, text, size) == ("", text)


@pytest.mark.parametrize("size", [1, 1000])
def test_a_closing_alone_shows_that_all_before_it_was_reasoning(size: int) -> None:
    scanner = MarkScanner(None, outer="reasoning", closing_marks=[THINK_MARKS])
    assert split(scanner, "Let me see.</think>It is 42.", size) == ("Let me see.", "It is 42.")
    quoted = MarkScanner(None, outer="reasoning", closing_marks=[THINK_MARKS])
    assert split(quoted, "It is '</think>'.", size) == ("It is '</think>'.", "")
