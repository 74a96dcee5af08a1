"""The marks between which model families write tool calls, as data."""

from dataclasses import dataclass

__all__ = ["KNOWN_FORMATS", "CallFormat", "find_known_format"]


@dataclass(frozen=True)
class CallFormat:
    """The marks of a family's calls.

    A call begins at `start`; without one it is a JSON object on lines of its own. It ends at `end`,
    or without one where its JSON ends. With `code` a text without arguments is the tool's input.
    `pattern` is a regular expression with the groups `name` and `value` for a notation that no
    reader knows. `announced_by` is a mark by which a template shows that the model writes such
    calls although it does not spell their own marks. `leave_thought` is the text between an open
    thought and a call, where a call cannot stand in a thought.
    """

    start: str = ""
    end: str = ""
    code: bool = False
    pattern: str | None = None
    announced_by: str = ""
    leave_thought: str = ""

    @property
    def start_is_mark(self) -> bool:
        """Whether the start is a whole mark, not the beginning of one such as `<function=`."""
        return self.start.endswith((">", "]"))


KNOWN_FORMATS = (
    CallFormat("<tool_call>", "</tool_call>"),  # Hermes, Qwen, GLM, Granite 4, EXAONE, SmolLM3
    CallFormat("<seed:tool_call>", "</seed:tool_call>"),  # Seed-OSS
    CallFormat("<minimax:tool_call>", "</minimax:tool_call>"),  # MiniMax-M2
    CallFormat("<tool_calls>", "</tool_calls>"),  # Jamba, Hunyuan, Apriel
    CallFormat("<TOOLCALL>", "</TOOLCALL>"),  # Nemotron
    CallFormat(  # LFM2
        "<|tool_call_start|>", "<|tool_call_end|>", announced_by="List of tools: "
    ),
    CallFormat("<|START_ACTION|>", "<|END_ACTION|>"),  # Command-R7B, Command-A
    CallFormat("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),  # DeepSeek V3, R1, V3.1
    CallFormat("<｜DSML｜function_calls>", "</｜DSML｜function_calls>"),  # DeepSeek V3.2
    CallFormat("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),  # Kimi-K2
    CallFormat("<|tool_call>", "<tool_call|>"),  # Gemma 4
    CallFormat("<start_function_call>", "<end_function_call>"),  # FunctionGemma
    CallFormat("<|tools_prefix|>", "<|tools_suffix|>"),  # Apertus
    CallFormat(  # gpt-oss (harmony)
        "to=functions.", "<|call|>", code=True, leave_thought="<|end|><|start|>assistant "
    ),
    CallFormat("<|channel|>commentary to=", "<|call|>", code=True),
    CallFormat("<|channel|>analysis to=", "<|call|>", code=True),
    CallFormat("<function_call>", "</function_call>"),
    CallFormat("<function_calls>", "</function_calls>"),
    CallFormat("<|tool_call|>"),  # Granite 3, Phi-4-mini
    CallFormat("[TOOL_CALLS]"),  # Mistral, Ministral, Magistral
    CallFormat("<|python_tag|>", code=True),  # Llama 3.1
    CallFormat("<function=", "</function>"),  # Functionary, Qwen3-Coder without its outer mark
    CallFormat("<invoke name=", "</invoke>"),
)
"""Marks that stand around others come first."""


def find_known_format(text: str) -> CallFormat | None:
    """Return the first known format whose marks stand in `text`, or None."""
    for call_format in KNOWN_FORMATS:
        announced = call_format.announced_by and call_format.announced_by in text
        if announced or (call_format.start in text and call_format.end in text):
            return call_format
    return None
