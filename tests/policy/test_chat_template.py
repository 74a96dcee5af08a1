"""Chat templates, kind and hostile."""

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


@pytest.mark.parametrize(
    "hostile",
    [
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
