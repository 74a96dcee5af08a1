"""Chat templates, kind and hostile."""

import pytest

from reasoner.engine.template import render
from reasoner.errors import BadModelFile
from reasoner.problem import Message
from tests.tiny_gguf import CHATML

ASK = [Message(role="system", content="Be brief."), Message(role="user", content="Hi")]
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
)


def test_chatml() -> None:
    text = render(CHATML, ASK)
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi")
    assert text.endswith("<|im_start|>assistant\n")


def test_a_template_without_system_role_gets_it_in_the_question() -> None:
    assert render(NO_SYSTEM, ASK) == "[user]Be brief.\n\nHi"


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% if %}",
        "{{ nothing.here.at.all }}",
    ],
)
def test_a_hostile_template_is_one_error(hostile: str) -> None:
    with pytest.raises(BadModelFile, match="chat template fails"):
        render(hostile, ASK)
