"""How steps with marks read as text: what takes the place of the special tokens."""

from types import MappingProxyType

from reasoner.path import Decision, Step

__all__ = ["MARKS", "UNMARKED", "spoken"]

DECIDED = {
    Decision.PROCEED: "→ proceed\n\n",
    Decision.BACKTRACK: "↩ backtrack\n\n",
    Decision.END: "■ end\n\n",
}
MARKS = MappingProxyType(
    {
        "reasoning_step_name_end": "\n",
        "reasoning_step_thought_end": "\n",
        "reasoning_step_summary_start": "⇒ ",
        "reasoning_step_summary_end": "\n",
        "reasoning_step_reflection_start": "? ",
        "reasoning_step_reflection_end": "\n",
        "reasoning_proceed": DECIDED[Decision.PROCEED],
        "reasoning_backtrack": DECIDED[Decision.BACKTRACK],
        "reasoning_end": DECIDED[Decision.END],
    }
)
"""What is shown in place of Steiner's tokens, by their names; for the others nothing is."""
UNMARKED = MappingProxyType[int, str]({})
"""What protocols without such tokens show in their place."""


def spoken(step: Step) -> str:
    """A step as it is shown: its name, thought, summary, reflection and decision where it has
    a name; else its text."""
    if step.name is None:
        return f"{step.text.strip()}\n\n"
    fields = [step.name, step.text]
    fields += [f"⇒ {step.summary}"] if step.summary else []
    fields += [f"? {step.reflection}"] if step.reflection else []
    decided = "\n" if step.decision is None else DECIDED[step.decision]
    return "".join(f"{field.strip()}\n" for field in fields if field.strip()) + decided
