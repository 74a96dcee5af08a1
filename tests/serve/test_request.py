"""What a request in OpenAI's format asks for: settings, and a problem with its history."""

from typing import Any

import pytest
from pydantic import ValidationError

from reasoner.serve.request import ChatRequest
from reasoner.settings import Settings, explain

HI = {"role": "user", "content": "Hi"}


def request(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"messages": messages or (HI,), **fields})


def test_arguments_of_the_template_are_added_to_those_of_the_server() -> None:
    base = Settings(template_args={"style": "short", "language": "en"})
    asked = request(chat_template_kwargs={"language": "fr"}, reasoner={"template_args": {"n": 1}})
    merged = {"style": "short", "language": "fr", "n": 1}
    assert asked.settings(base).template_args == merged
    assert request().settings(base).template_args == base.template_args


@pytest.mark.parametrize(
    ("server", "fields", "think"),
    [
        ({}, {"chat_template_kwargs": {"enable_thinking": False}}, False),
        ({}, {"chat_template_kwargs": {"thinking_budget": 0}}, False),
        ({}, {"chat_template_kwargs": {"reasoning_effort": "none"}}, False),
        ({"think": False}, {"chat_template_kwargs": {"thinking": True}}, True),
        ({"template_args": {"thinking": False}}, {"chat_template_kwargs": {"x": 1}}, False),
        ({"template_args": {"thinking": False}}, {"reasoning_effort": "none"}, False),
        ({}, {"chat_template_kwargs": {"thinking": True}, "reasoning_effort": "none"}, False),
        ({}, {"chat_template_kwargs": {"thinking": False}, "reasoner": {"think": True}}, True),
    ],
)
def test_whether_to_think(server: dict[str, Any], fields: dict[str, Any], think: bool) -> None:
    assert request(**fields).settings(Settings(**server)).think is think


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"messages": []}, "'messages' is set by the program"),
        ({"a b": 1}, "'a b' is no name"),
        ({"__class__": 1}, "is no name"),
        ({"x": "y" * 70_000}, "longer than 64 KB"),
        ({f"x{n}": n for n in range(33)}, "at most 32"),
        ([1], "dictionary"),
    ],
)
def test_arguments_that_no_template_can_have(arguments: object, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        request(chat_template_kwargs=arguments)
    assert says in explain(caught.value)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, "image"),
        ({"type": "input_image", "file_id": "7"}, "image"),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}, "audio"),
        ({"type": "video_url", "video_url": {"url": "x"}}, "video"),
        ({"type": "file", "file": {}}, "file"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_pictures_and_sounds_are_refused_in_one_line(
    part: dict[str, Any], kind: str, place: int
) -> None:
    roles = ("user", "assistant", "user")
    messages: list[dict[str, Any]] = [{"role": role, "content": "text"} for role in roles]
    messages[place]["content"] = [{"type": "text", "text": "What is this?"}, part]
    with pytest.raises(ValidationError) as caught:
        request(*messages)
    assert explain(caught.value) == (
        f"messages.{place}.content: {kind} parts are not supported; this program reads text only"
    )


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "What is "}, {"type": "input_text", "text": "2 + 2?"}]
    assert request({"role": "user", "content": parts}).problem(None).question == "What is 2 + 2?"
    with pytest.raises(ValidationError, match="a part of a content is"):
        request({"role": "user", "content": [{"type": "text"}]})


def test_a_system_message_stays_where_it_was_said() -> None:
    problem = request(
        {"role": "system", "content": "A"},
        {"role": "developer", "content": "B"},
        HI,
        {"role": "assistant", "content": "Yes?"},
        {"role": "system", "content": "C"},
        {"role": "user", "content": "D"},
    ).problem("the server's")
    assert (problem.system, problem.question) == ("A\n\nB", "D")
    assert [(message.role, message.content) for message in problem.history] == [
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("system", "C"),
    ]
    assert request().problem("the server's").system == "the server's"
