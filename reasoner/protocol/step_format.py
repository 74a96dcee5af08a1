"""The display of steps as text, with replacements for special tokens."""

from types import MappingProxyType

from reasoner.types.trajectory import Decision, Step

__all__ = ["TOKEN_MARKS", "format_step"]

DECISION_MARKS = {
    Decision.PROCEED: "→ proceed\n\n",
    Decision.BACKTRACK: "↩ backtrack\n\n",
    Decision.END: "■ end\n\n",
}
TOKEN_MARKS = MappingProxyType(
    {
        "reasoning_step_name_end": "\n",
        "reasoning_step_thought_end": "\n",
        "reasoning_step_summary_start": "⇒ ",
        "reasoning_step_summary_end": "\n",
        "reasoning_step_reflection_start": "? ",
        "reasoning_step_reflection_end": "\n",
        "reasoning_proceed": DECISION_MARKS[Decision.PROCEED],
        "reasoning_backtrack": DECISION_MARKS[Decision.BACKTRACK],
        "reasoning_end": DECISION_MARKS[Decision.END],
    }
)
"""The text displayed for Steiner's tokens, by name; the others are not displayed."""


def format_step(step: Step) -> str:
    """Return the display text of a step: name, thought, summary, reflection and decision of a named
    step, and the plain text of any other."""
    if step.name is None:
        return f"{step.text.strip()}\n\n"
    fields = [step.name, step.text]
    fields += [f"⇒ {step.summary}"] if step.summary else []
    fields += [f"? {step.reflection}"] if step.reflection else []
    decided = "\n" if step.decision is None else DECISION_MARKS[step.decision]
    return "".join(f"{field.strip()}\n" for field in fields if field.strip()) + decided
