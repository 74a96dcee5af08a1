"""The reasoning marks of the model families, as data."""

from reasoner.types.reasoning_marks import ReasoningMarks

__all__ = ["KNOWN_MARKS", "THINK_MARKS"]


THINK_MARKS = ReasoningMarks(name="think", opening="<think>", closing="</think>")
"""DeepSeek R1, Qwen3, QwQ, SmolLM3, Phi-4-reasoning, GLM and others."""

KNOWN_MARKS = (
    THINK_MARKS,
    ReasoningMarks(
        name="harmony",
        message_end="<|end|>",
        opening="<|channel|>analysis<|message|>",
        closing="<|channel|>final<|message|>",
        open_text="<|channel|>analysis<|message|>",
        close_text="<|end|><|start|>assistant<|channel|>final<|message|>",
        empty_block="<|channel|>final<|message|>",
        other_openings=("<|channel|>commentary<|message|>", "<|channel|>commentary"),
        ignored=(
            *("<|end|>", "<|start|>assistant", "<|start|>", "<|message|>", "<|constrain|>"),
            *("<|return|>", "<|call|>", "<|channel|>", "<|channel|>final", "<|channel|>analysis"),
        ),
    ),
    ReasoningMarks(
        name="mistral",
        opening="[THINK]",
        closing="[/THINK]",
        open_text="[THINK]",
        close_text="[/THINK]",
    ),
    ReasoningMarks(
        name="gemma",
        opening="<|channel>thought",
        closing="<channel|>",
        close_text="\n<channel|>",
    ),
    ReasoningMarks(
        name="seed",
        opening="<seed:think>",
        closing="</seed:think>",
        open_text="<seed:think>",
        close_text="</seed:think>",
        ignored=("<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    ),
    ReasoningMarks(
        name="command",
        opening="<|START_THINKING|>",
        closing="<|END_THINKING|>",
        open_text="<|START_THINKING|>",
        close_text="<|END_THINKING|><|START_RESPONSE|>",
        ignored=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
    ),
    ReasoningMarks(
        name="kimi",
        opening="◁think▷",
        closing="◁/think▷",
        open_text="◁think▷",
        close_text="◁/think▷",
    ),
    ReasoningMarks(name="thought", opening="<thought>", closing="</thought>"),
    ReasoningMarks(name="thinking", opening="<thinking>", closing="</thinking>"),
    ReasoningMarks(name="reasoning", opening="<reasoning>", closing="</reasoning>"),
    ReasoningMarks(
        name="granite",
        opening="Here is my thought process:",
        closing="Here is my response:",
        open_text="Here is my thought process:",
        close_text="\n\nHere is my response:",
    ),
)
"""All marks that are recognised where a model opens a reply with them."""
