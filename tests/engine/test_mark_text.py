"""Which user-defined tokens are marks that typed text must not become."""

import pytest

from reasoner.engine.mark_text import is_mark_text


@pytest.mark.parametrize(
    "text",
    ["<reason>", "</reason>", "<|tool|>", "[/PLAN]", "◁plan▷", "<｜User｜>", ">>QUOTE<<", "_<END>",
     "<channel|>", " <note> ", "<x:y>"],
)  # fmt: skip
def test_words_in_punctuation_are_marks(text: str) -> None:
    assert is_mark_text(text)


@pytest.mark.parametrize(
    "text",
    ["\n\n", "    ", "\t", "word", "42", "...", "——", "<>", "<", "\\frac", "'re", "</td>", "<h2>",
     "<br />", "→", "日本"],
)  # fmt: skip
def test_ordinary_text_is_none(text: str) -> None:
    assert not is_mark_text(text)


def test_what_the_template_writes_is_a_mark() -> None:
    template = "{% for m in messages %}### Pupil: {{ m.content }}{% endfor %}"
    assert not is_mark_text("### Pupil:  x")
    assert not is_mark_text("\n\n### Teacher", template)
    assert is_mark_text("### Pupil", template)
    assert not is_mark_text("Pupil", template)
    assert not is_mark_text("{{", template)
