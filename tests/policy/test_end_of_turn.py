"""Replies end where the chat template ends the assistant's turns."""

from pathlib import Path

import pytest

from reasoner.engine.remote.text_vocabulary import TextVocabulary
from reasoner.policy.end_of_turn import adopt_end_of_turn, find_end_of_turn
from reasoner.settings import Limits
from reasoner.types.problem import Problem
from tests.protocol.writing import open_engine, write
from tests.scripted_gguf import write_scripted_gguf

TURN = (
    "{{% for m in messages %}}<|{{{{ m.role }}}}|>{{{{ m.content }}}}{end}{{% endfor %}}"
    "<|assistant|>"
)
ROLES = ("<|user|>", "<|assistant|>")


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("<done>\n", "<done>"),
        (" <done><over>", "<done>"),
        ("{{ eos_token }}", "<|im_end|>"),
        ("", "<|user|>"),
        ("\n", "<|user|>"),
        ("### Next", None),
        ("{% if m.role == 'assistant' %}<over>{% else %}<done>{% endif %}", "<over>"),
    ],
)
@pytest.mark.parametrize("kind", ["control", "user_defined"])
async def test_the_mark_after_the_assistants_message_is_found(
    tmp_path: Path, end: str, name: str | None, kind: str
) -> None:
    marks = (*ROLES, "<done>", "<over>")
    path = write_scripted_gguf(
        tmp_path / "s.gguf",
        ["It is Lima."],
        chat_template=TURN.format(end=end),
        control=marks if kind == "control" else (),
        user_defined=marks if kind == "user_defined" else (),
    )
    engine = await open_engine(path)
    expected = None if name is None else engine.token_id(name)
    assert find_end_of_turn(engine) == expected
    await engine.close()


async def test_a_template_that_fails_has_none(tmp_path: Path) -> None:
    path = write_scripted_gguf(
        tmp_path / "s.gguf", ["Hm."], chat_template="{{ raise_exception('never') }}"
    )
    engine = await open_engine(path)
    assert find_end_of_turn(engine) is None
    await engine.close()


async def test_the_end_of_a_message_is_not_that_of_a_reply(tmp_path: Path) -> None:
    template = TURN.format(end="{% if loop.last %}<|return|>{% else %}<|end|>{% endif %}")
    marks = (*ROLES, "<|end|>", "<|return|>")
    path = write_scripted_gguf(
        tmp_path / "s.gguf", ["Hm."], chat_template=template, control=marks, eos="<|return|>"
    )
    engine = await open_engine(path)
    assert find_end_of_turn(engine) is None
    await engine.close()


@pytest.mark.parametrize("kind", ["control", "user_defined"])
async def test_a_reply_ends_there(tmp_path: Path, kind: str) -> None:
    marks = (*ROLES, "<done>")
    path = write_scripted_gguf(
        tmp_path / "s.gguf",
        ["It is Lima.", "<done>", "<|user|>", "And Chile?"],
        chat_template=TURN.format(end="<done>"),
        eos="<|endoftext|>",
        control=marks if kind == "control" else (),
        user_defined=marks if kind == "user_defined" else (),
    )
    engine = await open_engine(path)
    adopt_end_of_turn(engine)
    for think in (True, False):
        limits = Limits(max_tokens=30, think=think)
        trajectory = await write(engine, limits, problem=Problem(question="Peru?"))
        assert trajectory.answer == "It is Lima."
    await engine.close()


def test_a_servers_replies_end_there_too() -> None:
    vocabulary = TextVocabulary("</s>")
    (end,) = vocabulary.tokenize("<|done|>")
    vocabulary.end_replies_at(end)
    assert vocabulary.is_eog(end)
    assert [vocabulary.sent_text([token]) for token in vocabulary.end_tokens] == [
        "</s>",
        "<|done|>",
    ]
