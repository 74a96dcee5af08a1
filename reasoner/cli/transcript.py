"""A conversation as Markdown, to be read or saved; clean of what a terminal would obey."""

from typing import TYPE_CHECKING

from reasoner.cli.output.terminal import clean, one_line

if TYPE_CHECKING:
    from reasoner.store.record import Turn

__all__ = ["transcript"]


def transcript(turns: "list[Turn]", *, reasoning: bool = False) -> str:
    """Questions as quotes, answers as they are, the thinking, if wanted, as a list of steps."""
    return "".join(_turn(turn, reasoning) for turn in turns)


def _turn(turn: "Turn", reasoning: bool) -> str:
    asked = "\n".join(f"> {line}".rstrip() for line in clean(turn.question).strip().splitlines())
    worth = [turn.status.replace("_", " "), *(["undone"] if turn.dropped else [])]
    parts = [asked, *(_steps(turn) if reasoning else []), clean(turn.answer).strip()]
    parts.append(f"*{' · '.join([*worth, one_line(turn.model)])}*")
    return "\n\n".join(part for part in parts if part) + "\n\n"


def _steps(turn: "Turn") -> list[str]:
    steps = turn.result.reasoning if turn.result else ()
    lines = [
        f"{number}. " + "\n   ".join(clean(step.text).strip().splitlines())
        for number, step in enumerate(steps, 1)
    ]
    return ["\n".join(lines)] if lines else []
