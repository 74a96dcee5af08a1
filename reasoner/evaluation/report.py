"""The report of an evaluation: its data, and the same as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasoner.evaluation.record import ScoredRow
from reasoner.evaluation.statistics import (
    PairedComparison,
    VariantSummary,
    compare_variants,
    on_pareto_line,
    summarise_variant,
)

__all__ = ["EvalReport"]


@dataclass(frozen=True, slots=True)
class EvalReport:
    """The figures of an evaluation.

    `rows` are the scored rows by variant, `errors` the number of questions without a result by
    variant, `notes` one-line facts about the run, such as its data, seed and model.
    """

    rows: Mapping[str, Sequence[ScoredRow]]
    errors: Mapping[str, int]
    notes: Sequence[str]

    @property
    def summaries(self) -> list[VariantSummary]:
        """The figures of each variant that has an answer."""
        return [summarise_variant(name, rows) for name, rows in self.rows.items() if rows]

    @property
    def comparisons(self) -> list[PairedComparison]:
        """The comparison of each pair of variants."""
        return compare_variants({name: rows for name, rows in self.rows.items() if rows})

    @property
    def datasets(self) -> list[str]:
        """The names of the problem sets, in the order of the rows."""
        return list(dict.fromkeys(row.dataset for rows in self.rows.values() for row in rows))

    def by_dataset(self) -> dict[str, list[VariantSummary]]:
        """Return the figures of each variant on each problem set."""
        return {
            dataset: [
                summarise_variant(name, part)
                for name, rows in self.rows.items()
                if (part := [row for row in rows if row.dataset == dataset])
            ]
            for dataset in self.datasets
        }

    def to_mapping(self) -> dict[str, Any]:
        """Return the report as data for JSON."""
        return {
            "notes": list(self.notes),
            "variants": [summary.to_mapping() for summary in self.summaries],
            "datasets": {
                name: [summary.to_mapping() for summary in summaries]
                for name, summaries in self.by_dataset().items()
            },
            "comparisons": [comparison.to_mapping() for comparison in self.comparisons],
            "pareto": [summary.name for summary in on_pareto_line(self.summaries)],
            "errors": dict(self.errors),
        }

    def to_markdown(self) -> str:
        """Return the report as Markdown."""
        sections = [*self.notes, "", *_table(ACCURACY_HEADER, map(accuracy_cells, self.summaries))]
        if len(self.datasets) > 1:
            for dataset, summaries in self.by_dataset().items():
                sections += ["", f"### {dataset}", ""]
                sections += _table(ACCURACY_HEADER, map(accuracy_cells, summaries))
        if self.comparisons:
            sections += ["", *_table(COMPARISON_HEADER, map(comparison_cells, self.comparisons))]
        sections += ["", *_table(STATUS_HEADER, status_cells(self.summaries))]
        return "\n".join(sections) + "\n"


ACCURACY_HEADER = ("variant", "right", "accuracy", "95 %", "undecided", "tokens", "seconds", "ECE")
COMPARISON_HEADER = ("comparison", "questions", "won", "lost", "p")
STATUS_HEADER = ("variant", "status", "right", "not right")


def accuracy_cells(summary: VariantSummary) -> tuple[str, ...]:
    """Return the cells of a variant's row, as ACCURACY_HEADER names them: tokens are the mean and
    seconds the median of a question."""
    low, high = summary.interval
    error = summary.calibration_error
    return (
        summary.name,
        f"{summary.right} of {summary.count}",
        f"{summary.accuracy:.1%}",
        f"[{low:.1%}, {high:.1%}]",
        str(summary.open_count),
        f"{summary.mean_tokens:,.0f}",
        f"{summary.median_seconds:.1f}",
        "–" if error is None else f"{error:.1%}",
    )


def comparison_cells(comparison: PairedComparison) -> tuple[str, ...]:
    """Return the cells of a comparison's row, as COMPARISON_HEADER names them."""
    return (
        f"{comparison.second} against {comparison.first}",
        str(comparison.count),
        str(comparison.wins),
        str(comparison.losses),
        f"{comparison.p:.2g}",
    )


def status_cells(summaries: Sequence[VariantSummary]) -> list[tuple[str, ...]]:
    """Return a row for each variant and status: how many such answers were right, and not."""
    return [
        (
            summary.name,
            str(status.value),
            str(summary.statuses.get((status, True), 0)),
            str(summary.statuses.get((status, False), 0)),
        )
        for summary in summaries
        for status in sorted({status for status, _ in summary.statuses})
    ]


def _table(header: Sequence[str], rows: Any) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
