"""Arguments of chat templates that say whether to think."""

from typing import Any

import pytest

from reasoner.settings import Settings
from reasoner.types.template_arguments import stated_thinking


@pytest.mark.parametrize(
    ("arguments", "think"),
    [
        ({}, None),
        ({"style": False}, None),
        ({"enable_thinking": True}, True),
        ({"enable_thinking": False}, False),
        ({"enable_thinking": "maybe"}, None),
        ({"enable_thinking": 0}, None),
        ({"no_think": True}, False),
        ({"thinking_mode": "chat"}, False),
        ({"thinking_mode": "thinking"}, True),
        ({"thinking_budget": 0}, False),
        ({"thinking_budget": 512}, None),
        ({"thinking_budget": False}, None),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "high"}, None),
    ],
)
def test_what_arguments_say_about_thinking(arguments: dict[str, Any], think: bool | None) -> None:
    assert stated_thinking(arguments) is think
    assert Settings(template_args=arguments).think is (think is not False)
    assert Settings(template_args=arguments, think=False).think is False
