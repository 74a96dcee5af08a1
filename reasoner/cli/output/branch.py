"""How a state of a search reads on a line, and what more there is to say of it."""

from collections.abc import Iterator

from reasoner.cli.output.pieces import BOLD, DIM, GREEN, PLAIN, RED, YELLOW, Piece
from reasoner.cli.output.terminal import one_line
from reasoner.trace.state import State, mean_logprob
from reasoner.verdict import Outcome, Verdict

__all__ = ["details", "label", "mark", "metrics", "outcome", "verdict_line"]

SIGNS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.UNKNOWN: "?", Outcome.ERROR: "!"}
STYLES = {Outcome.PASS: GREEN, Outcome.FAIL: RED, Outcome.UNKNOWN: DIM, Outcome.ERROR: YELLOW}
LONGEST = 300
"""Characters of a text that are worth a line."""


def mark(state: State, *, best: bool) -> list[Piece]:
    """● on the best path, ○ elsewhere, ✂ pruned; then what the checks said, if they did."""
    place = "✂" if state.pruned and not best else "●" if best else "○"
    pieces = [(place, _style(state, best=best))]
    found = outcome(state)
    return [*pieces, (SIGNS[found], STYLES[found])] if found else pieces


def outcome(state: State) -> Outcome | None:
    """What the verdicts on a state come to: a refutation outweighs all, a pass what is open."""
    said = {verdict.outcome for verdict in state.verdicts}
    return next((one for one in (Outcome.FAIL, Outcome.PASS) if one in said), None)


def label(state: State, *, best: bool, unfinished: str = "") -> list[Piece]:
    """What was said: the step's name or its text, the answer, or what is being written."""
    style = _style(state, best=best)
    step = state.step
    if step is not None:
        return [(_short(step.name or step.text) or "(nothing said)", style)]
    if state.done:
        final = state.candidate.final if state.candidate else None
        said = _short(final or state.text)
        return [("answer ", DIM), (said, style)] if said else [("no answer", DIM)]
    if state.steps == 0 or not unfinished:
        begun = f", from step {state.steps}" if state.steps else ""
        return [(f"line {state.path}{begun}", DIM)]
    return [(_short(unfinished), DIM)]


def metrics(state: State, *, wide: bool) -> list[Piece]:
    """` · value 0.61 · 3 visits · log-probability -0.31 · backtrack`, as far as there are any."""
    parts: list[Piece] = []
    step, ended = state.step, state.candidate
    value = ended.value if ended and ended.value is not None else state.value
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
        backs = step.decision == "backtrack"
        parts.append(
            (f"↩ {step.decision}" if backs else str(step.decision), YELLOW if backs else DIM)
        )
    return [piece for part in parts for piece in ((" · ", DIM), part)]


def details(state: State) -> Iterator[list[Piece]]:
    """The lines below a state's own: summary, tool call, verdicts."""
    step = state.step
    if step is not None and step.summary:
        yield [(_short(step.summary), DIM)]
    if step is not None and step.call is not None:
        went = "" if step.call.ok else "failed: "
        yield [(f"⚙ {one_line(step.call.tool)[:40]}: {went}{_short(step.call.output)}", DIM)]
    for verdict in state.verdicts:
        yield verdict_line(verdict)


def verdict_line(verdict: Verdict) -> list[Piece]:
    """`✗ sympy_check: 3 * 4 = 13 is wrong (12)`."""
    sign = (SIGNS[verdict.outcome], STYLES[verdict.outcome])
    return [sign, (f" {one_line(verdict.verifier)[:40]}: {_short(verdict.reason)}", DIM)]


def _style(state: State, *, best: bool) -> str:
    return BOLD if best else DIM if state.pruned or state.same is not None else PLAIN


def _short(text: str) -> str:
    return one_line(text[: 4 * LONGEST])[:LONGEST]
