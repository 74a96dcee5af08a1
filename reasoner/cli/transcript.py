"""A turn as Markdown, to be read or saved; clean of what a terminal would obey."""

from typing import TYPE_CHECKING

from reasoner.cli.output.terminal import clean, one_line

if TYPE_CHECKING:
    from reasoner.result import Result

__all__ = ["transcript"]


def transcript(
    question: str,
    result: "Result | None",
    answer: str,
    *,
    reasoning: bool = False,
    undone: bool = False,
) -> str:
    """The question as a quote, the answer as it is, the thinking, if wanted, as a list of steps."""
    asked = "\n".join(f"> {line}".rstrip() for line in clean(question).strip().splitlines())
    worth = [result.status.replace("_", " "), one_line(result.model)] if result else []
    worth += ["undone"] if undone else []
    steps = _steps(result) if result and reasoning else ""
    parts = [asked, steps, clean(answer).strip(), f"*{' · '.join(worth)}*" if worth else ""]
    return "\n\n".join(part for part in parts if part) + "\n\n"


def _steps(result: "Result") -> str:
    return "\n".join(
        f"{number}. " + "\n   ".join(clean(step.text).strip().splitlines())
        for number, step in enumerate(result.reasoning, 1)
    )
