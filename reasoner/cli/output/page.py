"""A recorded run as one HTML file that needs nothing else: no script, no network.

Text that a model wrote is hostile: every such text passes through `_safe`.
"""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from reasoner.cli.output.branch import details, label, mark
from reasoner.cli.output.headline import headline
from reasoner.cli.output.outline import top
from reasoner.cli.output.terminal import one_line, without_controls
from reasoner.trace.state import TraceNode, mean_logprob
from reasoner.trace.tree import SearchTree

if TYPE_CHECKING:
    from reasoner.cli.output.segments import Segment
    from reasoner.trace.trace import Trace

__all__ = ["html_page"]

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; max-width: 75em; margin: 1em auto; padding: 0 1em }}
h1 {{ font-size: 1.2em; white-space: pre-wrap; overflow-wrap: anywhere }}
details {{ border-left: 2px solid #8884; padding-left: .6em; margin: .15em 0 }}
details.best {{ border-color: #2a8 }}
details.best > summary b {{ font-weight: 650 }}
details.pruned > summary {{ opacity: .5 }}
summary {{ cursor: pointer; overflow-wrap: anywhere }}
summary b {{ font-weight: normal }}
summary i, p.note {{ color: #888; font-style: normal }}
.pass {{ color: #2a8 }} .fail {{ color: #d43 }} .back {{ color: #b80 }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .4em 0 .6em }}
p {{ margin: .3em 0 }}
meter {{ width: 4em; height: .8em }}
</style></head><body>
"""
LEGEND = (
    "● the path to the answer, ○ another one, ✂ pruned; ✓ ✗ what the checks said; ↩ a backtrack. "
    "Value is in [0, 1]; entropy is estimated by the mean surprise of the step's tokens, in nats."
)
MAX_INDENT_FORKS = 40
"""Forks by which a state is moved to the right."""
MAX_ENTROPY_NATS = 3.0
"""Nats per token that fill the bar."""
DECISIONS = {"backtrack": '<span class="back">↩ backtrack</span>'}


def html_page(run: "Trace") -> Iterator[str]:
    """The text of the file, in parts."""
    yield HEAD.format(title=_safe(one_line(run.problem.question)[:100]))
    yield f"<h1>{_safe(run.problem.question)}</h1>\n"
    for line in headline(run)[1:]:
        yield f'<p class="note">{_text(line)}</p>\n'
    yield f'<p class="note">{LEGEND}</p>\n'
    yield from _states(run.tree())
    yield "</body></html>\n"


def _states(tree: SearchTree) -> Iterator[str]:
    best = {state.id for state in tree.best_path()}
    start = top(tree)
    waiting = [(child, 0) for child in reversed(start.children)]
    while waiting:
        state, forks = waiting.pop()
        if state.same is not None:
            continue
        below = forks + (len(state.children) > 1)
        waiting += [(child, below) for child in reversed(state.children)]
        yield from _state(tree, state, forks, best=state.id in best)


def _state(tree: SearchTree, state: TraceNode, forks: int, *, best: bool) -> Iterator[str]:
    kinds = ["best"] * best + ["pruned"] * (state.pruned and not best)
    unfinished = tree.unfinished_text(state)
    texts = label(state, best=best, unfinished=unfinished)
    indent = min(forks, MAX_INDENT_FORKS) * 1.5
    yield f'<details class="{" ".join(kinds)}" style="margin-left:{indent}em">'
    marked = _text(mark(state, best=best))
    yield f"<summary>{marked} <b>{_text(texts)}</b>{_figures(state)}</summary>"
    if text := (state.step.text if state.step else state.text) or unfinished:
        yield f"<pre>{_safe(text)}</pre>"
    if state.step is not None and state.step.reflection:
        yield f'<p class="note">{_safe(state.step.reflection)}</p>'
    for line in details(state):
        yield f"<p>{_text(line)}</p>"
    yield "</details>\n"


def _figures(state: TraceNode) -> str:
    """Value and entropy with their bars, visits, tokens, decision."""
    parts: list[str] = []
    step, ended = state.step, state.candidate
    value = ended.value if ended and ended.value is not None else state.value_score
    if value is not None:
        parts.append(f'value {value:.2f} <meter value="{_within(value):.3f}"></meter>')
    if step is not None and (mean := mean_logprob(step)) is not None:
        share = _within(-mean / MAX_ENTROPY_NATS)
        parts.append(f'entropy {-mean:.2f} <meter value="{share:.3f}"></meter>')
    if ended is not None and ended.standing is not None:
        parts.append(f"checks {ended.standing:.2f}")
    if state.visits:
        parts.append(f"visits {state.visits}")
    if state.copies > 1:
        parts.append(f"said {state.copies} times")
    if step is not None:
        parts.append(f"{step.tokens} tokens")
        if step.decision is not None:
            parts.append(DECISIONS.get(step.decision, str(step.decision)))
    return "".join(f" <i>· {part}</i>" for part in parts)


def _within(number: float) -> float:
    """The number clipped to [0, 1]; 0 for NaN, which a recorded trace may hold."""
    return max(0.0, min(1.0, number)) if number == number else 0.0  # NaN equals nothing


def _text(segments: "list[Segment]") -> str:
    marked = {"✓": "pass", "✗": "fail"}
    return "".join(
        f'<span class="{marked[text]}">{text}</span>' if text in marked else _safe(text)
        for text, _ in segments
    )


def _safe(text: str) -> str:
    return escape(without_controls(text))
