"""Plots of an evaluation as SVG texts: they need no network, no script and no library.

Colours come from the page's style sheet through the classes `series-0` to `series-7`.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import ceil, floor, log10
from statistics import fmean

from reasoner.evaluation.record import ScoredRow
from reasoner.evaluation.statistics import (
    CalibrationBin,
    VariantSummary,
    group_by_difficulty,
    on_pareto_line,
)

__all__ = ["plot_accuracy", "plot_calibration", "plot_tokens_by_difficulty"]

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 16, 48
SERIES_COUNT = 8
Scale = Callable[[float], float]


def plot_accuracy(summaries: Sequence[VariantSummary]) -> str:
    """Return accuracy against mean tokens per question, with 95 % intervals and the Pareto line.

    The axis of tokens is logarithmic where the largest is more than ten times the smallest.
    """
    tokens = [max(1.0, summary.mean_tokens) for summary in summaries]
    logarithmic = max(tokens) > 10 * min(tokens)
    x, ticks = _token_scale(tokens, logarithmic=logarithmic)
    y = _linear(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    parts = [_percent_axis(y), _x_axis(x, ticks), _x_title("mean tokens per question")]
    line = on_pareto_line(summaries)
    points = " ".join(
        f"{x(max(1.0, each.mean_tokens)):.1f},{y(each.accuracy):.1f}" for each in line
    )
    parts.append(f'<polyline class="pareto" points="{points}"/>')
    for number, (summary, cost) in enumerate(zip(summaries, tokens, strict=True)):
        low, high = summary.interval
        parts.append(
            f'<g class="series-{number % SERIES_COUNT}">'
            f'<line x1="{x(cost):.1f}" x2="{x(cost):.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}"/>'
            f'<circle cx="{x(cost):.1f}" cy="{y(summary.accuracy):.1f}" r="5"/>'
            f'<text x="{x(cost) + 9:.1f}" y="{y(summary.accuracy) - 8:.1f}">'
            f"{escape(summary.name)}</text></g>"
        )
    return _figure(parts, "Accuracy against tokens per question")


def plot_calibration(bins_by_variant: Mapping[str, Sequence[CalibrationBin]]) -> str:
    """Return the reliability diagram: the share of right answers against the stated confidence.

    The area of a point follows the number of answers in its bin.
    """
    x = _linear(0.0, 1.0, LEFT, WIDTH - RIGHT)
    y = _linear(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    ticks = [(share / 4, f"{25 * share} %") for share in range(5)]
    parts = [_percent_axis(y), _x_axis(x, ticks), _x_title("stated confidence")]
    parts.append(f'<line class="pareto" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    for number, (name, bins) in enumerate(bins_by_variant.items()):
        total = sum(each.count for each in bins)
        circles = "".join(
            f'<circle cx="{x(each.confidence):.1f}" cy="{y(each.accuracy):.1f}" '
            f'r="{3 + 14 * (each.count / total) ** 0.5:.1f}"><title>{each.count} answers</title>'
            "</circle>"
            for each in bins
        )
        label = (
            f'<text x="{LEFT + 12}" y="{TOP + 16 + 16 * number}">{escape(name)} ({total})</text>'
        )
        parts.append(f'<g class="series-{number % SERIES_COUNT}">{circles}{label}</g>')
    return _figure(parts, "Share of right answers against stated confidence")


def plot_tokens_by_difficulty(rows: Mapping[str, Sequence[ScoredRow]]) -> str:
    """Return bars of mean tokens per question for each difficulty and variant; the number of
    questions stands below each difficulty."""
    groups = group_by_difficulty(rows)
    means = {
        label: {
            name: fmean(row.tokens for row in answers) for name, answers in group.items() if answers
        }
        for label, group in groups.items()
    }
    top = max((value for group in means.values() for value in group.values()), default=1.0)
    y = _linear(0.0, _round_up(top), HEIGHT - BOTTOM, TOP)
    parts = [_number_axis(y, _round_up(top))]
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    bar = 0.8 * slot / max(1, len(rows))
    for place, (label, group) in enumerate(means.items()):
        start = LEFT + slot * place + 0.1 * slot
        for number, name in enumerate(rows):
            value = group.get(name, 0.0)
            parts.append(
                f'<rect class="series-{number % SERIES_COUNT}" x="{start + bar * number:.1f}" '
                f'y="{y(value):.1f}" width="{bar:.1f}" height="{y(0) - y(value):.1f}">'
                f"<title>{escape(name)}: {value:.0f} tokens</title></rect>"
            )
        count = len({row.id for answers in groups[label].values() for row in answers})
        centre = LEFT + slot * (place + 0.5)
        parts.append(
            f'<text class="tick" x="{centre:.1f}" y="{HEIGHT - 28}">{escape(label)} ({count})'
            "</text>"
        )
    return _figure(parts, "Mean tokens per question by difficulty")


def _figure(parts: Sequence[str], title: str) -> str:
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">\n<title>{escape(title)}</title>\n{body}\n</svg>'
    )


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    """Return the function that takes `low` to `start` and `high` to `end`, in pixels."""
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * (value - low) / span


def _token_scale(
    tokens: Sequence[float], *, logarithmic: bool
) -> tuple[Scale, list[tuple[float, str]]]:
    """Return the scale of the axis of tokens and its ticks with their labels."""
    if logarithmic:
        low, high = floor(log10(min(tokens))), ceil(log10(max(tokens)))
        exponent = _linear(low, high, LEFT + 12, WIDTH - RIGHT - 80)
        ticks = [(10.0**power, f"{10**power:,}") for power in range(low, high + 1)]
        return (lambda value: exponent(log10(max(value, 1.0)))), ticks
    top = _round_up(max(tokens))
    return (
        _linear(0.0, top, LEFT, WIDTH - RIGHT - 80),
        [(top * share / 4, f"{top * share / 4:,.0f}") for share in range(5)],
    )


def _round_up(value: float) -> float:
    """Return the next number of the form 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(max(value, 1.0)))
    return next((step * power for step in (1, 2, 5, 10) if step * power >= value), value)


def _percent_axis(y: Scale) -> str:
    return _y_axis(y, [(share / 4, f"{25 * share} %") for share in range(5)])


def _number_axis(y: Scale, top: float) -> str:
    return _y_axis(y, [(top * share / 4, f"{top * share / 4:,.0f}") for share in range(5)])


def _y_axis(y: Scale, ticks: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" '
        f'y2="{y(value):.1f}"/><text class="tick-y" x="{LEFT - 6}" y="{y(value) + 4:.1f}">{label}'
        "</text>"
        for value, label in ticks
    )


def _x_axis(x: Scale, ticks: Sequence[tuple[float, str]]) -> str:
    return "".join(
        f'<text class="tick" x="{x(value):.1f}" y="{HEIGHT - 28}">{label}</text>'
        for value, label in ticks
    )


def _x_title(text: str) -> str:
    return f'<text class="tick" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}">{text}</text>'
