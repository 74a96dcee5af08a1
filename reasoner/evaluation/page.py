"""The report of an evaluation as one HTML file without scripts and without a network."""

from collections.abc import Iterable, Sequence
from html import escape

from reasoner.evaluation.plots import plot_accuracy, plot_calibration, plot_tokens_by_difficulty
from reasoner.evaluation.report import (
    ACCURACY_HEADER,
    COMPARISON_HEADER,
    STATUS_HEADER,
    EvalReport,
    accuracy_cells,
    comparison_cells,
    status_cells,
)
from reasoner.evaluation.statistics import calibration_bins

__all__ = ["render_page"]

COLOURS = (
    "#1f6feb", "#c4320a", "#1a7f37", "#8250df", "#9a6700", "#0e7490", "#bf3989", "#57606a",
)  # fmt: skip
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --faint: #d1d9e0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --faint: #3d444d; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { border-bottom: 1px solid var(--faint); padding: .3rem .7rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; max-width: 48rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .tick { text-anchor: middle; } svg .tick-y { text-anchor: end; }
svg .grid { stroke: var(--faint); } svg .pareto { fill: none; stroke: var(--ink);
  stroke-dasharray: 4 4; opacity: .6; }
svg circle { fill-opacity: .75; }
"""


def render_page(report: EvalReport, title: str) -> str:
    """Return the page: notes, tables and plots."""
    bins = {name: calibration_bins(rows) for name, rows in report.rows.items()}
    bins = {name: each for name, each in bins.items() if each}
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(note)}</p>" for note in report.notes)]
    parts += [_table(ACCURACY_HEADER, map(accuracy_cells, report.summaries))]
    parts += ["<h2>Accuracy against tokens</h2>", plot_accuracy(report.summaries)]
    if len(report.datasets) > 1:
        for dataset, summaries in report.by_dataset().items():
            parts += [f"<h3>{escape(dataset)}</h3>"]
            parts += [_table(ACCURACY_HEADER, map(accuracy_cells, summaries))]
    if report.comparisons:
        parts += ["<h2>Paired comparisons</h2>"]
        parts += [_table(COMPARISON_HEADER, map(comparison_cells, report.comparisons))]
    parts += ["<h2>Status and truth</h2>", _table(STATUS_HEADER, status_cells(report.summaries))]
    if bins:
        parts += ["<h2>Reliability of the confidence</h2>", plot_calibration(bins)]
    rows = {name: rows for name, rows in report.rows.items() if rows}
    parts += ["<h2>Tokens by difficulty</h2>", plot_tokens_by_difficulty(rows)]
    colours = "".join(
        f".series-{number} {{ fill: {colour}; stroke: {colour}; }}\n"
        f".series-{number} text {{ fill: {colour}; stroke: none; }}\n"
        for number, colour in enumerate(COLOURS)
    )
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{colours}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
