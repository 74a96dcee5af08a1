"""A turn of a conversation as Markdown, without control characters for a terminal."""

from reasoner.cli.output.terminal import one_line, without_controls
from reasoner.types.result import Result

__all__ = ["transcript"]


def transcript(
    question: str,
    result: Result | None,
    answer: str,
    *,
    reasoning: bool = False,
    undone: bool = False,
) -> str:
    """Return the question as a quote, the steps as a list if requested, the answer, the status."""
    quote = "\n".join(
        f"> {line}".rstrip() for line in without_controls(question).strip().splitlines()
    )
    labels = [result.status.replace("_", " "), one_line(result.model)] if result else []
    labels += ["undone"] if undone else []
    steps = _steps(result) if result and reasoning else ""
    parts = [
        quote,
        steps,
        without_controls(answer).strip(),
        f"*{' · '.join(labels)}*" if labels else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n\n"


def _steps(result: Result) -> str:
    return "\n".join(
        f"{number}. " + "\n   ".join(without_controls(step.text).strip().splitlines())
        for number, step in enumerate(result.reasoning, 1)
    )
