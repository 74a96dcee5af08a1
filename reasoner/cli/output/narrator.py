"""stderr: thinking, notices, and the line that says what the answer is worth."""

from typing import TYPE_CHECKING, TextIO

from reasoner.cli.output.terminal import clean, columns, is_terminal, one_line, wrapped

if TYPE_CHECKING:
    from reasoner.events import CandidateEvent
    from reasoner.path import Step
    from reasoner.result import Result
    from reasoner.verdict import Verdict

__all__ = ["Narrator", "candidate_line", "status_line", "usage_line"]

MARKS = {"verified": "✓", "refuted": "✗", "answered": "·", "no_answer": "·"}
COLOURS = {"verified": "32", "refuted": "31", "answered": "2", "no_answer": "33"}
DIM = "2"
REASONS = 3
LONGEST_FINAL = 60


class Narrator:
    """Writes to stderr; keeps track of the column so that every notice starts a line."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        thoughts: bool,
        quiet: bool = False,
        usage: bool = False,
        verdict: bool = True,
    ) -> None:
        self._stream, self._colour, self._thoughts = stream, colour, thoughts
        self._quiet, self._usage, self._verdict = quiet, usage, verdict
        self._inside = self._midline = self._hinted = False

    def think(self, text: str) -> None:
        """A piece of reasoning; where it is hidden, a person is told that it goes on."""
        if not self._thoughts:
            self.hint("thinking…")
            return
        text = clean(text)
        if not self._inside:
            text = text.lstrip()
        if not text:
            return
        self._drop_hint()
        self._inside, self._midline = True, not text.endswith("\n")
        self._write(text, DIM)

    def candidate(self, event: "CandidateEvent") -> None:
        """One line for a finished line of thought; hidden where thinking is."""
        if self._thoughts:
            self.say(candidate_line(event))

    def end_step(self, step: "Step") -> None:
        """A step is complete."""
        self.end_line()

    def end_line(self) -> None:
        if self._midline:
            self._write("\n")
            self._midline = False

    def end_thoughts(self) -> None:
        """Leave an empty line between the reasoning and what follows it."""
        self._drop_hint()
        if self._inside:
            self.end_line()
            if is_terminal(self._stream):
                self._write("\n")
            self._inside = False

    def say(self, text: str) -> None:
        """A notice on a line of its own."""
        if not self._quiet:
            self._drop_hint()
            self.end_line()
            self._line(one_line(text), DIM)

    def conclude(self, result: "Result") -> None:
        """The status line, and the statistics if they were asked for."""
        if self._verdict and not self._quiet and result.answer.strip():
            self._line(status_line(result), COLOURS[result.status])
        if self._usage:
            self._line(usage_line(result), DIM)

    def hint(self, text: str) -> None:
        """Show a line that goes again; only where it can be erased, and nothing else with it."""
        if self._colour and not (self._quiet or self._hinted or self._midline):
            self._hinted = True
            self._write(text, DIM)

    def _drop_hint(self) -> None:
        if self._hinted:
            self._hinted = False
            self._write("\r\x1b[K")

    def _line(self, text: str, style: str) -> None:
        self._write(wrapped(text, columns(self._stream)), style)
        self._write("\n")

    def _write(self, text: str, style: str = "") -> None:
        if style and self._colour:
            text = f"\x1b[{style}m{text}\x1b[0m"
        self._stream.write(text)
        self._stream.flush()


def candidate_line(event: "CandidateEvent") -> str:
    """` 3 · 42 · checks 0.88 · value 0.71 · 180 tokens`."""
    parts = [f"{event.path:>2}", _shortened(event.final or "no final answer")]
    parts += [f"checks {event.standing:.2f}"] if event.standing is not None else []
    parts += [f"value {event.value:.2f}"] if event.value is not None else []
    parts += ["cut off"] if event.finish_reason in ("length", "interrupted") else []
    return " · ".join([*parts, f"{event.tokens} tokens"])


def _shortened(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST_FINAL else line[: LONGEST_FINAL - 1] + "…"


def status_line(result: "Result") -> str:
    """`✓ verified · 5 of 5 equations hold · 41 tokens/s`."""
    parts = [f"{MARKS[result.status]} {_status(result)}"]
    parts += [one_line(verdict.reason) for verdict in _telling(result)][:REASONS]
    if len(result.candidates) > 1 and result.confidence is not None:
        parts.append(f"confidence {result.confidence:.0%} from {len(result.candidates)} lines")
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


def _telling(result: "Result") -> "list[Verdict]":
    """The verdicts that made the status; for an unchecked answer, the checks that broke."""
    wanted = {"verified": "pass", "refuted": "fail"}.get(result.status, "error")
    return [verdict for verdict in result.verdicts if verdict.outcome == wanted]


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
