"""The environment of chat templates is the one of transformers' `apply_chat_template`."""

import time
from typing import Any

import pytest

from reasoner.policy.chat_template import render_prompt
from reasoner.policy.template_environment import render_template
from reasoner.types.problem import Message

HI = [{"role": "user", "content": "Hi"}]
TOOL = {"type": "function", "function": {"name": "überprüfe", "b": "<a> & 'c'", "a": [1, None]}}


def render(template: str, **values: Any) -> str:
    return render_template(time.monotonic() + 60, template, values, HI)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ tools is none }} {{ documents is none }}", "True True"),
        ("{{ tools is defined and documents is defined }}", "True"),
        ("{% if tools %}no{% elif not documents %}yes{% endif %}", "yes"),
        ("{{ add_generation_prompt }}", "True"),
        ("{{ nobody_gave_this is defined }}", "False"),
        ("a{% generation %}b{{ messages[0].content }}{% endgeneration %}c", "abHic"),
        ("{% generation -%}  b  {%- endgeneration %}", "b"),
        ("{% for i in 'abcd' %}{% if i == 'c' %}{% break %}{% endif %}{{ i }}{% endfor %}", "ab"),
        ("{% for i in 'abc' %}{% if i == 'b' %}{% continue %}{% endif %}{{ i }}{% endfor %}", "ac"),
        ("{% set n = namespace(x=1) %}{% for i in [6] %}{% set n.x = i %}{% endfor %}{{ n.x }}",
         "6"),
        ("{% for i in 'abc' %}{{ loop.index }}{{ loop.last }}{{ loop.length }} {% endfor %}",
         "1False3 2False3 3True3 "),
        ("{% for k, v in {'x': 1} | items %}{{ k }}{{ v }}{% endfor %}", "x1"),
        ("{% for i in nothing %}x{% else %}none{% endfor %}", "none"),
        ("{{ 'a' ~ 1 ~ none ~ 'b' }}", "a1Noneb"),
        ("{{ '%s is %d' % ('it', 3) }} {{ '{} {x}'.format('a', x='b') }}", "it is 3 a b"),
        ("{{ ' x '.strip() }}{{ 'aXbX'.replace('X', '-') }}{{ ','.join(['p', 'q']) }}", "xa-b-p,q"),
        ("{{ ['a', 'b'] | join(', ') }} {{ [1, 2] | map('string') | join }}", "a, b 12"),
        ("{{ 'a\nb' | indent(2) }} {{ 7 % 4 }} {{ [1] + [2] }}", "a\n  b 3 [1, 2]"),
        ("  {% if true %}\n  x\n  {% endif %}\n", "  x\n"),
    ],
)  # fmt: skip
def test_what_templates_are_written_for(template: str, text: str) -> None:
    assert render(template) == text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("", '{"b": "<a> & \'c\'", "name": "ü", "a": [1, null]}'),
        ("ensure_ascii=true", '{"b": "<a> & \'c\'", "name": "\\u00fc", "a": [1, null]}'),
        ("sort_keys=true", '{"a": [1, null], "b": "<a> & \'c\'", "name": "ü"}'),
        ("separators=(',', ':')", '{"b":"<a> & \'c\'","name":"ü","a":[1,null]}'),
        ("indent=1", '{\n "b": "<a> & \'c\'",\n "name": "ü",\n "a": [\n  1,\n  null\n ]\n}'),
    ],
)
def test_json_is_neither_sorted_nor_escaped(options: str, text: str) -> None:
    value = {"b": "<a> & 'c'", "name": "ü", "a": [1, None]}
    assert render(f"{{{{ value | tojson({options}) }}}}", value=value) == text


def test_tools_are_given_in_their_own_order() -> None:
    template = "{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% endfor %}"
    text = render_prompt(template, [Message(role="user", content="Hi")], functions=[TOOL])
    assert text.startswith('[{"type": "function", "function": {"name": "überprüfe", "b": "<a> & ')


def test_the_date_of_today() -> None:
    before = time.strftime("%Y-%m-%d")
    assert render("{{ strftime_now('%Y-%m-%d') }}") in (before, time.strftime("%Y-%m-%d"))
