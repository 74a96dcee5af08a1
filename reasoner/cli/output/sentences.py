"""Sentences about what a search did: its candidates, its cross-check, what its answer is worth."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reasoner.cli.output.terminal import one_line

if TYPE_CHECKING:
    from reasoner.types.events import CandidateEvent
    from reasoner.types.result import Result
    from reasoner.types.verdict import Verdict

__all__ = [
    "candidate_sentence",
    "candidate_summary",
    "cross_check_sentences",
    "status_line",
    "usage_line",
]

MARKS = {"verified": "✓", "refuted": "✗", "answered": "·", "no_answer": "·"}
MAX_REASONS = 3
MAX_FINAL_CHARACTERS = 60


def candidate_sentence(event: "CandidateEvent", number: int, total: int | None) -> str:
    """`candidate 2 of 5: 36 (checks 0.84, value 0.91, 83 tokens)`."""
    of_total = f" of {total}" if total is not None else ""
    return f"candidate {number}{of_total}: {candidate_summary(event)}"


def candidate_summary(event: "CandidateEvent") -> str:
    """`36 (checks 0.84, value 0.91, 83 tokens)`: the final answer, its scores and its length."""
    figures = [f"checks {event.standing:.2f}"] if event.standing is not None else []
    figures += [f"value {event.value:.2f}"] if event.value is not None else []
    figures += ["cut off"] if event.finish_reason in ("length", "interrupted") else []
    figures.append(f"{event.tokens} tokens")
    return f"{_final(event, 'no final answer')} ({', '.join(figures)})"


def cross_check_sentences(
    reasonings: "Sequence[CandidateEvent]", programs: "Sequence[CandidateEvent]"
) -> list[str]:
    """What the candidates of a cross-check came to, a sentence for each kind of them.

    A single reasoning is left out: it has been shown.
    """
    sentences: list[str] = []
    if len(reasonings) > 1:
        answers = _enumerated([_final(event, "no answer") for event in reasonings])
        sentences.append(f"{len(reasonings)} reasonings came to {answers}")
    if programs:
        printed = _enumerated([_final(event, "no answer") for event in programs])
        count = "a program" if len(programs) == 1 else f"{len(programs)} programs"
        sentences.append(f"{count} written for the same question printed {printed}")
    return sentences


def _final(event: "CandidateEvent", missing: str) -> str:
    text = one_line(event.final or "") or missing
    limit = MAX_FINAL_CHARACTERS
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _enumerated(words: list[str]) -> str:
    """`36`, `36 and 42`, `36, 42 and 36`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def status_line(result: "Result") -> str:
    """`✓ verified · 5 of 5 equations hold · 41 tokens/s`."""
    parts = [f"{MARKS[result.status]} {_status(result)}"]
    parts += [one_line(verdict.reason) for verdict in _deciding(result)][:MAX_REASONS]
    if len(result.candidates) > 1 and result.confidence is not None:
        count = len(result.candidates)
        parts.append(f"confidence {result.confidence:.0%} from {count} candidates")
    if result.finish_reason != "stop":
        parts.append(_stopped(result))
    if result.cached:
        parts.append("from the cache")
    if result.usage.tokens_per_second:
        parts.append(f"{result.usage.tokens_per_second:.0f} tokens/s")
    return " · ".join(parts)


def _status(result: "Result") -> str:
    if result.status == "answered":
        return "answered, not checked"
    return result.status.replace("_", " ")


def _deciding(result: "Result") -> "list[Verdict]":
    """The verdicts that decided the status; for an unchecked answer, the checks that broke."""
    outcome = {"verified": "pass", "refuted": "fail"}.get(result.status, "error")
    return [verdict for verdict in result.verdicts if verdict.outcome == outcome]


def _stopped(result: "Result") -> str:
    return {
        "length": "cut off at the token limit",
        "budget": "stopped at its budget",
        "interrupted": "interrupted",
    }[result.finish_reason]


def usage_line(result: "Result") -> str:
    """Tokens and time on one line."""
    usage = result.usage
    if result.cached:
        return f"from the cache: 0 tokens · {usage.seconds:.2f} s"
    parts = [
        f"prompt {usage.prompt_tokens} ({usage.decoded_tokens} read)",
        f"reasoning {usage.reasoning_tokens}",
        f"answer {usage.answer_tokens}",
        f"tools {usage.tool_tokens}",
        f"value {usage.value_tokens}",
        f"wasted {usage.wasted_tokens} tokens",
        f"{usage.tool_calls} tool call{'s' * (usage.tool_calls != 1)}",
        f"{usage.tokens_per_second:.1f} tokens/s",
        f"{usage.seconds:.1f} s",
    ]
    return " · ".join(parts)
