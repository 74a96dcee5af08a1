"""The segments of a line about a state of a search, and of the lines with its details."""

from collections.abc import Iterator

from reasoner.cli.output.segments import BOLD, DIM, GREEN, PLAIN, RED, YELLOW, Segment
from reasoner.cli.output.terminal import one_line
from reasoner.trace.state import TraceNode, mean_logprob
from reasoner.types.verdict import Outcome, Verdict

__all__ = ["details", "label", "mark", "metrics", "outcome", "verdict_line"]

SIGNS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.UNKNOWN: "?", Outcome.ERROR: "!"}
STYLES = {Outcome.PASS: GREEN, Outcome.FAIL: RED, Outcome.UNKNOWN: DIM, Outcome.ERROR: YELLOW}
MAX_CHARACTERS = 300
"""Characters of a text that are worth a line."""


def mark(state: TraceNode, *, best: bool) -> list[Segment]:
    """● on the best path, ○ elsewhere, ✂ pruned; then ✓ or ✗ where the checks decided."""
    place = "✂" if state.pruned and not best else "●" if best else "○"
    segments = [(place, _style(state, best=best))]
    decided = outcome(state)
    return [*segments, (SIGNS[decided], STYLES[decided])] if decided else segments


def outcome(state: TraceNode) -> Outcome | None:
    """The outcome that decides: a refutation before a pass; None if all verdicts are open."""
    outcomes = {verdict.outcome for verdict in state.verdicts}
    return next((decided for decided in (Outcome.FAIL, Outcome.PASS) if decided in outcomes), None)


def label(state: TraceNode, *, best: bool, unfinished: str = "") -> list[Segment]:
    """The text of a state: the step's name or text, the answer, or what is being written."""
    style = _style(state, best=best)
    step = state.step
    if step is not None:
        return [(_short(step.name or step.text) or "(nothing said)", style)]
    if state.done:
        final = state.candidate.final if state.candidate else None
        answer = _short(final or state.text)
        return [("answer ", DIM), (answer, style)] if answer else [("no answer", DIM)]
    if state.steps == 0 or not unfinished:
        begun = f", from step {state.steps}" if state.steps else ""
        return [(f"trajectory {state.trajectory}{begun}", DIM)]
    return [(_short(unfinished), DIM)]


def metrics(state: TraceNode, *, wide: bool) -> list[Segment]:
    """` · value 0.61 · 3 visits · log-probability -0.31 · backtrack`, as far as there are any."""
    parts: list[Segment] = []
    step, ended = state.step, state.candidate
    value = ended.value if ended and ended.value is not None else state.value_score
    if value is not None:
        parts.append((f"value {value:.2f}" if wide else f"{value:.2f}", PLAIN))
    if state.visits:
        plural = "" if state.visits == 1 else "s"
        parts.append((f"{state.visits} visit{plural}" if wide else f"{state.visits}v", DIM))
    if ended and ended.standing is not None:
        parts.append((f"checks {ended.standing:.2f}", DIM))
    if step is not None and (mean := mean_logprob(step)) is not None:
        parts.append((f"logprob {mean:.2f}" if wide else f"{mean:.2f}", DIM))
    if state.copies > 1:
        parts.append((f"said {state.copies} times" if wide else f"×{state.copies}", DIM))
    if step is not None and step.decision is not None:
        backtracks = step.decision == "backtrack"
        arrow, style = ("↩ ", YELLOW) if backtracks else ("", DIM)
        parts.append((f"{arrow}{step.decision}", style))
    return [segment for part in parts for segment in ((" · ", DIM), part)]


def details(state: TraceNode) -> Iterator[list[Segment]]:
    """The lines below a state's own: summary, tool call, verdicts."""
    step = state.step
    if step is not None and step.summary:
        yield [(_short(step.summary), DIM)]
    if step is not None and step.call is not None:
        failed = "" if step.call.ok else "failed: "
        yield [(f"⚙ {one_line(step.call.tool)[:40]}: {failed}{_short(step.call.output)}", DIM)]
    for verdict in state.verdicts:
        yield verdict_line(verdict)


def verdict_line(verdict: Verdict) -> list[Segment]:
    """`✗ sympy_check: 3 * 4 = 13 is wrong (12)`."""
    sign = (SIGNS[verdict.outcome], STYLES[verdict.outcome])
    return [sign, (f" {one_line(verdict.verifier)[:40]}: {_short(verdict.reason)}", DIM)]


def _style(state: TraceNode, *, best: bool) -> str:
    return BOLD if best else DIM if state.pruned or state.same is not None else PLAIN


def _short(text: str) -> str:
    return one_line(text[: 4 * MAX_CHARACTERS])[:MAX_CHARACTERS]
