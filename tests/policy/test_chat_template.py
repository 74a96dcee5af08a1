"""Chat templates: every message stands in the prompt, whatever the template takes."""

import pytest

from reasoner.errors import BadModelFile
from reasoner.policy import chat_template
from reasoner.policy.chat_template import render_prompt
from reasoner.types.problem import Message
from tests.tiny_gguf import CHATML

ASK = [Message(role="system", content="Be brief."), Message(role="user", content="Hi")]
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
)


def test_chatml() -> None:
    text = render_prompt(CHATML, ASK)
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi")
    assert text.endswith("<|im_start|>assistant\n")


def test_a_template_without_system_role_gets_it_in_the_question() -> None:
    assert render_prompt(NO_SYSTEM, ASK) == "[user]Be brief.\n\nHi"


DOUBLING = (
    "{{% set s = namespace(x={}) %}}{{% for i in range(50) %}}{{% set s.x = s.x {} s.x %}}"
    "{{% endfor %}}"
)
TURN = "<{{ m.role }}>{{ m.content }}</{{ m.role }}>\n"
ALTERNATING = (
    "{% if messages[0].role == 'system' %}{% set rest = messages[1:] %}"
    "<system>{{ messages[0].content | trim }}</system>\n"
    "{% else %}{% set rest = messages %}{% endif %}"
    "{% for m in rest %}{% if m.role != ['user', 'assistant'][loop.index0 % 2] %}"
    "{{ raise_exception('roles have to take turns') }}{% endif %}"
    + TURN
    + "{% endfor %}<assistant>"
)
PARTS_ONLY = (
    "{% for m in messages %}<{{ m.role }}>{% for part in m.content %}"
    "{% if part.type == 'text' %}{{ part.text | trim }}{% endif %}{% endfor %}</{{ m.role }}>\n"
    "{% endfor %}<assistant>"
)
NO_LATE_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' and not loop.first %}"
    "{{ raise_exception('only at the beginning') }}{% endif %}" + TURN + "{% endfor %}<assistant>"
)


def conversation(*turns: str) -> list[Message]:
    """Messages from `role: content`; the last one, without a role, is the question."""
    pairs = [turn.split(": ", 1) for turn in turns]
    return [Message.model_validate({"role": role, "content": content}) for role, content in pairs]


def prompt(template: str, *turns: str) -> str:
    return " ".join(render_prompt(template, conversation(*turns)).split())


def test_contents_become_parts_for_a_template_that_goes_through_them() -> None:
    assert prompt(PARTS_ONLY, "system: Be brief.", "user: Hi") == (
        "<system>Be brief.</system> <user>Hi</user> <assistant>"
    )


def test_parts_and_a_merged_system_message_go_together() -> None:
    template = PARTS_ONLY.replace(
        "{% for m in messages %}", "{% for m in messages %}{% if m.role != 'system' %}", 1
    ).replace("\n{% endfor %}<assistant>", "\n{% endif %}{% endfor %}<assistant>")
    assert prompt(template, "system: Be brief.", "user: Hi") == (
        "<user>Be brief. Hi</user> <assistant>"
    )


def test_a_dropped_system_message_moves_even_when_its_words_stand_elsewhere() -> None:
    template = "{% for m in messages if m.role == 'user' %}" + TURN + "{% endfor %}"
    assert prompt(template, "system: user", "user: Hi") == "<user>user Hi</user>"


def test_a_later_system_message_moves_into_the_next_question() -> None:
    said = ("system: A", "user: B", "assistant: C", "system: D", "user: E")
    rest = "<user>B</user> <assistant>C</assistant> <user>D E</user>"
    for template in (NO_LATE_SYSTEM, ALTERNATING):
        assert prompt(template, *said).startswith(f"<system>A</system> {rest}")


def test_roles_that_have_to_take_turns() -> None:
    assert prompt(ALTERNATING, "user: One.", "user: Two.", "assistant: Three.", "user: Four.") == (
        "<user>One. Two.</user> <assistant>Three.</assistant> <user>Four.</user> <assistant>"
    )


def test_a_conversation_that_the_assistant_began() -> None:
    text = prompt(ALTERNATING, "assistant: Welcome!", "user: Thanks.")
    assert text.startswith("<user>(You speak first.)</user> <assistant>Welcome!</assistant>")
    no_system = ALTERNATING.replace("<system>", "{{ raise_exception('no') }}")
    text = prompt(no_system, "system: Be kind.", "assistant: Welcome!", "user: Thanks.")
    assert text.startswith("<user>Be kind.</user> <assistant>Welcome!</assistant> <user>Thanks.")


ASKED = ("system: Be brief.", "user: Where?")
ONE_LAYOUT = (
    "{% if messages | map(attribute='role') | join != 'systemuserassistantuser' %}"
    + ("{{ raise_exception('no') }}{% endif %}{% for m in messages %}{% if m.role != leaves_out %}")
    + TURN
    + "{% endif %}{% endfor %}"
)
"""Takes a conversation of four in one layout, and leaves out a role."""


@pytest.mark.parametrize(
    ("role", "named"),
    [
        ("system", "the system message"),
        ("assistant", r"message 3 of 4 \(assistant: It is over there\.\)"),
        ("user", r"message 2 of 4 \(user: Where did I put the key of the old garde…\)"),
    ],
)
def test_a_message_that_no_layout_saves_is_named(role: str, named: str) -> None:
    question = "user: Where did I put the key of the old garden shed?"
    said = ("system: Be brief.", question, "assistant: It is over there.", "user: And now?")
    template = ONE_LAYOUT.replace("leaves_out", f"'{role}'")
    with pytest.raises(BadModelFile, match=rf"leaves out {named}; .*--chat-template FILE"):
        prompt(template, *said)


def test_an_error_is_no_loss_because_parts_would_be_one() -> None:
    template = "{{ messages[0].content + '' if messages[0].content is string }}{{ a.b }}"
    with pytest.raises(BadModelFile, match="'a' is undefined"):
        prompt(template, "user: Hi")
    silent = "{% if messages[0].content is string %}{{ a.b }}{% endif %}"
    with pytest.raises(BadModelFile, match="'a' is undefined"):
        prompt(silent, "user: Hi")


def test_a_question_that_is_left_out_is_named() -> None:
    with pytest.raises(BadModelFile, match="leaves out the question"):
        prompt("{% if messages[1] %}{{ messages[0].content }}{% endif %}", *ASKED)


LAST_PART = "{% for m in messages %}[{{ m.content.split('</seal>')[-1] }}]{% endfor %}"


def test_a_text_with_a_closing_tag_stays_whole() -> None:
    assert prompt(LAST_PART, "user: Which?", "assistant: Use </seal> here.", "user: Ok") == (
        "[Which?][Use </seal> here.][Ok]"
    )
    assert prompt(LAST_PART, "user: What does </seal> do?") == "[What does </seal> do?]"


def test_reasoning_of_an_earlier_turn_may_be_left_out_but_not_the_answer() -> None:
    said = "assistant: <seal>\nHm.\n</seal>\n\nIt is 4."
    assert prompt(LAST_PART, "user: 2+2?", said, "user: Ok") == "[2+2?][ It is 4.][Ok]"
    first_part = LAST_PART.replace("-1", "0")
    assert "It is 4." in prompt(first_part, "user: 2+2?", said, "user: Ok")


def test_a_text_that_a_template_refuses_is_put_in_afterwards() -> None:
    template = (
        "{% for m in messages %}{% if '<|pipe|>' in m.content %}{{ raise_exception('no marks') }}"
        "{% endif %}" + TURN + "{% endfor %}"
    )
    text = prompt(template, "user: One <|pipe|> two", "assistant: Yes.", "user: Ok")
    assert text.startswith("<user>One <|pipe|> two</user>")


def test_a_template_may_write_json_and_capitals() -> None:
    said = 'user: Say "hi"\nand go'
    assert prompt("{{ messages | tojson }}", said) == (
        '[{"role": "user", "content": "Say \\"hi\\"\\nand go"}]'
    )
    assert prompt("{{ messages[0].content | upper }}", said) == 'Say "hi" and go'


def test_a_template_that_needs_a_list_of_tools_gets_one_without_any() -> None:
    template = "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].content }}"
    assert prompt(template, "user: Hi") == "Hi"


def test_an_empty_message_is_no_loss() -> None:
    skips = "{% for m in messages if m.content %}" + TURN + "{% endfor %}"
    assert prompt(skips, "user: Hi", "assistant: ", "user: Ok") == "<user>Hi</user> <user>Ok</user>"


@pytest.mark.parametrize(
    "hostile",
    [
        DOUBLING.format("'ab'", "~"),
        DOUBLING.format("'ab'", "+"),
        DOUBLING.format("[1]", "+"),
        DOUBLING.format("3", "*"),
        "{% set x = 'x' * 10 ** 6 %}{% for i in range(10 ** 5) %}{{ x }}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 'x'.center(10 ** 9) }}",
        "{{ 'x' | center(10 ** 9) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ ('x' * 10 ** 6).replace('x', 'y' * 10 ** 6) }}",
        "{{ ('x' * 10 ** 6) | replace('x', 'y' * 10 ** 6) }}",
        "{{ range(10 ** 5) | join('x' * 10 ** 6) }}",
        "{{ ''.join(range(10 ** 5) | map('center', 10 ** 5)) }}",
        "{{ (['x' * 10 ** 6] * 10 ** 6) | string }}",
        "{{ (['x' * 10 ** 6] * 10 ** 6) | tojson }}",
        "{{ [1] | tojson(indent=10 ** 5) }}",
        "{{ ([[1] * 10 ** 5] * 10 ** 5) | sum(start=[]) }}",
        "{{ strftime_now('%Y' * 10 ** 5) }}",
        "{{ (1).to_bytes(10 ** 10) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{{ 'x' * 10 ** 15 }}",
        "{{ 3 * ('x' * 10 ** 6) }}",
        "{{ [0] * 10000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{% if %}",
        "{{ nothing.here.at.all }}",
    ],
)
def test_a_hostile_template_is_one_error(hostile: str) -> None:
    with pytest.raises(BadModelFile, match="chat template fails"):
        render_prompt(hostile, ASK)


def test_a_template_without_end_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_template, "RENDER_SECONDS", 0.2)
    loop = "{% for i in range(3000) %}{% for j in range(3000) %}{% endfor %}{% endfor %}"
    with pytest.raises(BadModelFile, match="it takes too long"):
        render_prompt(loop, ASK)


def test_a_template_may_reckon() -> None:
    template = "{{ messages }}{{ '-' * 3 }}{{ 2 * 3 }}{{ 2 ** 3 }}{{ 0.5 * 2 }}"
    assert render_prompt(template, ASK).endswith("---681.0")
