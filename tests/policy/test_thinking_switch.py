"""How templates of different families turn thinking on and off, found by rendering them."""

from typing import Any

import pytest

from reasoner.policy.chat_template import render_prompt
from reasoner.policy.generation_prompt import generation_prompt
from reasoner.policy.switch_trials import find_thinking_switch
from reasoner.policy.thinking_switch import ThinkingSwitch
from reasoner.types.problem import Message

TURNS = "{% for m in messages %}({{ m.role }}){{ m.content }}(end){% endfor %}"
START = "{% if add_generation_prompt %}(assistant){% endif %}"
CLOSED_WHEN_OFF = (
    TURNS
    + START
    + "{% if enable_thinking is defined and not enable_thinking %}<t>\n</t>{% endif %}"
)
OFF_BY_DEFAULT = (
    "{% set thinking = thinking if thinking is defined else false %}"
    + TURNS
    + START
    + "{{ '<t>' if thinking else '</t>' }}"
)
INSTRUCTED = (
    "{% if thinking %}(system)Write your thoughts between <t> and </t>.(end){% endif %}"
    + TURNS
    + START
)
BY_WORD = (
    TURNS + START + "{% if thinking_mode | default('chat') == 'thinking' %}<t>{% else %}{% endif %}"
)
REVERSED = TURNS + START + "{% if not disable_reasoning %}<t>{% endif %}"
OPENS_ALWAYS = TURNS + START + "{{ '<t>\\n' }}"
NAMES_BUT_IGNORES = "{% set unused = enable_thinking %}" + TURNS + START
EFFORT = "(system)Effort: {{ reasoning_effort | default('medium') }}(end)" + TURNS + START
TWO_EFFORTS = (
    "{% set effort = reasoning_effort | default('none') %}"
    "{% if effort not in ['none', 'high'] %}{{ raise_exception('none or high') }}{% endif %}"
    "(effort){{ effort }}(end)" + TURNS + START
)
BUDGET = (
    "{% if thinking_budget is defined %}(system)Think for {{ thinking_budget }} tokens.(end)"
    "{% endif %}" + TURNS + START + "{% if thinking_budget == 0 %}<t>None.</t>{% endif %}"
)
WORD_IN_SYSTEM = (
    "{% set off = messages[0].role == 'system' and '/no_think' in messages[0].content %}"
    "{% for m in messages %}({{ m.role }}){{ m.content.replace('/no_think', '') }}(end){% endfor %}"
    + START
    + "{% if off %}<t></t>{% endif %}"
)
WORD_IN_QUESTION = (
    "{% set off = '/no_think' in messages[-1].content %}"
    + TURNS
    + START
    + "{{ '</t>' if off else '<t>' }}"
)
WORD_EXPLAINED = "{# The model obeys /no_think in a question. #}" + TURNS + START
TAGS_ONLY = TURNS.replace("m.content", "m.content.split('</think>')[-1]") + START
FAILING = "{{ nothing.at.all }}{{ enable_thinking }}"


@pytest.mark.parametrize(
    ("template", "on", "off"),
    [
        (CLOSED_WHEN_OFF, {"enable_thinking": True}, {"enable_thinking": False}),
        (OFF_BY_DEFAULT, {"thinking": True}, {"thinking": False}),
        (INSTRUCTED, {"thinking": True}, {"thinking": False}),
        (REVERSED, {"disable_reasoning": False}, {"disable_reasoning": True}),
        (EFFORT, {}, {}),
        (TWO_EFFORTS, {}, {"reasoning_effort": "none"}),
        (BUDGET, {}, {"thinking_budget": 0}),
        (OPENS_ALWAYS, {}, {}),
        (NAMES_BUT_IGNORES, {}, {}),
        (TAGS_ONLY, {}, {}),
        (FAILING, {}, {}),
    ],
)
def test_the_variables_that_change_the_prompt(
    template: str, on: dict[str, Any], off: dict[str, Any]
) -> None:
    switch = find_thinking_switch(template)
    assert (switch.variables(think=True), switch.variables(think=False)) == (on, off)
    assert switch.words == (None, None)


def test_a_mode_named_by_words() -> None:
    template = BY_WORD.replace("{% else %}", "{% elif thinking_mode == 'chat' %}")
    switch = find_thinking_switch(template)
    assert switch.variables(think=True) == {"thinking_mode": "thinking"}
    assert switch.variables(think=False) == {"thinking_mode": "chat"}


@pytest.mark.parametrize(
    ("effort", "echoed", "one_of_two"),
    [("low", "low", "high"), ("medium", "medium", "high"), ("max", "high", "high")],
)
def test_the_effort_is_told_as_near_as_the_template_knows_it(
    effort: Any, echoed: str, one_of_two: str
) -> None:
    for template, value in ((EFFORT, echoed), (TWO_EFFORTS, one_of_two)):
        variables = find_thinking_switch(template).variables(think=True, effort=effort)
        assert variables == {"reasoning_effort": value}


def test_without_thinking_the_effort_is_the_lowest() -> None:
    switch = find_thinking_switch(EFFORT)
    assert switch.variables(think=False, effort="high") == {"reasoning_effort": "low"}


def test_the_budget_is_told_in_tokens() -> None:
    switch = find_thinking_switch(BUDGET)
    assert switch.variables(think=True, budget=700) == {"thinking_budget": 700}
    assert switch.variables(think=True) == {}
    assert "<t>None.</t>" in generation_prompt(BUDGET, think=False).after


def test_arguments_of_the_user_win_but_for_the_switch() -> None:
    arguments = {"reasoning_effort": "high", "enable_thinking": False, "style": "short"}
    effort = find_thinking_switch(EFFORT).variables(True, effort="low", arguments=arguments)
    assert effort == arguments
    switched = find_thinking_switch(CLOSED_WHEN_OFF).variables(True, arguments=arguments)
    assert switched == {**arguments, "enable_thinking": True}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (WORD_IN_SYSTEM, "(system)(end)(user)Hi(end)(assistant)<t></t>"),
        (WORD_IN_QUESTION, "(user)Hi /no_think(end)(assistant)</t>"),
        (WORD_EXPLAINED, "(user)Hi /no_think(end)(assistant)"),
        (OPENS_ALWAYS, "(user)Hi(end)(assistant)<t>\n"),
        (TAGS_ONLY, "(user)Hi(end)(assistant)"),
    ],
)
def test_a_word_in_the_message_only_where_the_template_has_it(template: str, text: str) -> None:
    switch = find_thinking_switch(template)
    hi = [Message(role="user", content="Hi")]
    assert render_prompt(template, switch.with_words(hi, think=False)) == text
    assert switch.with_words(hi, think=True) == hi


def test_a_word_joins_the_system_message_that_is_there() -> None:
    switch = find_thinking_switch(WORD_IN_SYSTEM)
    asked = [Message(role="system", content="Be brief."), Message(role="user", content="Hi")]
    text = render_prompt(WORD_IN_SYSTEM, switch.with_words(asked, think=False))
    assert text == "(system)Be brief. (end)(user)Hi(end)(assistant)<t></t>"


@pytest.mark.parametrize(
    ("template", "on", "off"),
    [
        (CLOSED_WHEN_OFF, "(end)(assistant)", "(end)(assistant)<t>\n</t>"),
        (OFF_BY_DEFAULT, "(end)(assistant)<t>", "(end)(assistant)</t>"),
        (OPENS_ALWAYS, "(end)(assistant)<t>\n", "(end)(assistant)<t>\n"),
        (INSTRUCTED, "(end)(assistant)", "(end)(assistant)"),
        (WORD_IN_QUESTION, "(end)(assistant)<t>", "(end)(assistant)</t>"),
    ],
)
def test_what_stands_before_a_reply(template: str, on: str, off: str) -> None:
    assert generation_prompt(template, think=True).after == on
    assert generation_prompt(template, think=False).after == off


def test_instructions_to_think_stand_before_the_question() -> None:
    assert "between <t> and </t>" in generation_prompt(INSTRUCTED, think=True).before
    assert "<t>" not in generation_prompt(INSTRUCTED, think=False).before


def test_a_template_that_needs_an_argument_is_tried_with_it() -> None:
    picky = "{% if not polite %}{{ raise_exception('be polite') }}{% endif %}" + CLOSED_WHEN_OFF
    assert find_thinking_switch(picky) == ThinkingSwitch()
    switch = find_thinking_switch(picky, {"polite": 1})
    assert switch.variables(think=False, arguments={"polite": 1}) == {
        "polite": 1,
        "enable_thinking": False,
    }
    after = generation_prompt(picky, think=False, arguments={"polite": 1}).after
    assert after.endswith("<t>\n</t>")


def test_a_date_is_no_switch() -> None:
    clock = "{% if enable_thinking %}{% endif %}{{ strftime_now('%f') }}" + TURNS + START
    assert find_thinking_switch(clock) == ThinkingSwitch()
