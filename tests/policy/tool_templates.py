"""Chat templates in the manner of families that call tools, for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from reasoner.policy.chat_template import with_renderer

__all__ = ["CALLING_TEMPLATES", "DESCRIBED_TEMPLATES", "calling_template", "render_turns"]

TURNS = (
    "{% elif m.role == 'tool' %}OUTPUT"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
USER_OUTPUT = "<|im_start|>user\n<tool_response>\n{{ m.content }}\n</tool_response><|im_end|>\n"


def calling_template(call: str, output: str = USER_OUTPUT) -> str:
    """A template that lists the tools in a system turn and writes each call `c` of the assistant as
    `call`, and each output as `output`."""
    return (
        "{% if tools %}<|im_start|>system\nFunctions: {{ tools | tojson }}<|im_end|>\n{% endif %}"
        "{% for m in messages %}{% if m.tool_calls %}<|im_start|>assistant\n"
        "{% for t in m.tool_calls %}{% set c = t.function %}"
        + call
        + "{% endfor %}<|im_end|>\n"
        + TURNS.replace("OUTPUT", output)
    )


NAMED_JSON = '{"name": "{{ c.name }}", "arguments": {{ c.arguments | tojson }}}'
CALLING_TEMPLATES = {
    "hermes": calling_template("<tool_call>\n" + NAMED_JSON + "\n</tool_call>"),
    "text": calling_template(
        '<tool_call>{"name": "{{ c.name }}", "arguments": {{ "" + c.arguments }}}</tool_call>'
    ),
    "xml": calling_template(
        "<tool_call>\n<function={{ c.name }}>\n{% for k, v in c.arguments.items() %}"
        "<parameter={{ k }}>\n{{ v }}\n</parameter>\n{% endfor %}</function>\n</tool_call>"
    ),
    "glm": calling_template(
        "<tool_call>{{ c.name }}{% for k, v in c.arguments.items() %}"
        "<arg_key>{{ k }}</arg_key><arg_value>{{ v }}</arg_value>{% endfor %}</tool_call>",
        "<|observation|>\n{{ m.content }}",
    ),
    "mistral": calling_template(
        "[TOOL_CALLS]{{ c.name }}[ARGS]{{ c.arguments | tojson }}",
        "[TOOL_RESULTS]{{ m.content }}[/TOOL_RESULTS]",
    ),
    "llama": calling_template(
        '{"name": "{{ c.name }}", "parameters": {{ c.arguments | tojson }}}',
        "<|im_start|>ipython\n{{ m.content | tojson }}<|im_end|>\n",
    ),
    "unheard of": calling_template(
        "<do>{{ c.name }} := {{ c.arguments.code }}{{ c.arguments.word }}</do>",
        "<did name={{ m.name }}>{{ m.content }}</did>",
    ),
}
"""Templates that write the calls in the history."""

DESCRIBED_TEMPLATES = {
    "xml": "Reply with <tool_call>\n<function=f>\n<parameter=p>v</parameter></function>"
    "</tool_call>.",
    "lists": "Reply with <|tool_call|>[{name, arguments}].",
    "python": "List of tools: above. Call them.",
}
"""What a template may say to the model instead."""


def render_turns(
    template: str, turns: Sequence[Mapping[str, Any]], values: Mapping[str, Any]
) -> str:
    """The turns as the template writes them."""
    return with_renderer(lambda render: render(template, values, turns))
