"""Training a value head on rollouts: fit, choose and calibrate on problems it has not seen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from reasoner.datagen.rollouts.labels import LabelledSteps, label_steps
from reasoner.datagen.rollouts.ledger import RunFacts, read_solutions
from reasoner.datagen.rollouts.solution import Solution
from reasoner.errors import UsageError
from reasoner.metrics import auc, calibration_error, fit_platt_scaling
from reasoner.models.format import Aggregation
from reasoner.training.logistic_regression import fit_logistic_regression
from reasoner.value.aggregate import aggregate_step_scores
from reasoner.value.head import ValueHead

__all__ = ["TrainingSolutions", "ValueHeadReport", "load_training_solutions", "train_value_head"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
FOLDS = 5
MIN_PROBLEMS = 10
RIDGES = (1.0, 5.0, 20.0, 60.0)
SHARED_FACTS = ("model_sha256", "width")
"""What the files that are trained on must have in common."""


class TrainingSolutions(NamedTuple):
    """Solutions, the rows of features they name, and what the runs were told that made them."""

    facts: RunFacts
    solutions: list[Solution]
    features: Floats


class ValueHeadReport(BaseModel):
    """What cross-validation over problems says: each figure is about problems not trained on.

    `auc` is over all steps, `auc_sampled` over the policy's own, `auc_outcome` over its solutions
    by their aggregated score; `ece` is the calibration error on what was calibrated on.
    """

    model_config = ConfigDict(frozen=True)

    problems: int
    solutions: int
    steps: int
    right: float
    """Share of the steps that are right."""
    auc: float
    auc_sampled: float
    auc_outcome: float
    ece: float
    aggregation: Aggregation
    ridge: float


class _Fit(NamedTuple):
    """One way to train, and the log-odds it gives to problems it was not trained on."""

    ridge: float
    held_out: Doubles
    auc: float


def load_training_solutions(paths: Sequence[Path]) -> TrainingSolutions:
    """Read what `reasoner data rollouts` wrote. Raises UsageError where files do not fit."""
    facts: RunFacts = {}
    solutions: list[Solution] = []
    features: list[Floats] = []
    rows = 0
    for path in paths:
        own, found, part = read_solutions(path)
        facts = facts or own
        for key in SHARED_FACTS:
            if own.get(key) != facts.get(key):
                raise UsageError(f"{path} has another {key} than {paths[0]}; train on one alone")
        solutions += [
            one.model_copy(update={"features": tuple(row + rows for row in one.features)})
            for one in found
        ]
        features.append(np.asarray(part, np.float32))
        rows += len(part)
    if not np.isfinite(whole := np.concatenate(features)).all():
        raise UsageError(f"{paths[0]}: the rows hold numbers that are not finite")
    return TrainingSolutions(facts, solutions, whole)


def train_value_head(
    study: TrainingSolutions, seed: int, notice: Callable[[str], None] = lambda _text: None
) -> tuple[ValueHead, ValueHeadReport]:
    """The head for a study, the same for the same seed. Raises UsageError when there is too
    little to learn from."""
    labelled = label_steps(study.solutions)
    problems = len(set(labelled.problems.tolist()))
    if problems < MIN_PROBLEMS or len({*labelled.right.tolist()}) < 2:
        raise UsageError(
            f"{problems} problems are too few to train on, or all their steps are alike; "
            f"at least {MIN_PROBLEMS} with right and wrong steps are needed"
        )
    known = labelled.weights > 0
    best = _best(study, labelled, seed, notice)
    scale, bias = _calibration(best.held_out, labelled)
    scores = 1 / (1 + np.exp(-np.clip(scale * best.held_out + bias, -60, 60)))
    outcomes = {how: _outcome_auc(study.solutions, labelled, scores, how) for how in AGGREGATIONS}
    aggregation = max(outcomes, key=lambda how: outcomes[how])
    inputs = study.features[labelled.rows]
    line = fit_logistic_regression(inputs, labelled.right, labelled.weights, best.ridge)
    layer = line.weight[None].astype(np.float32), np.array([line.bias], np.float32)
    head = ValueHead(
        (layer,),
        scale=scale,
        bias=bias,
        aggregation=aggregation,
        base_sha256=study.facts.get("model_sha256"),
        data=f"{problems} problems, {len(study.solutions)} solutions, {known.sum()} steps",
        seed=seed,
    )
    report = _report(study, labelled, best, scores, (aggregation, outcomes[aggregation]))
    return head, report


def _report(
    study: TrainingSolutions,
    labelled: LabelledSteps,
    best: _Fit,
    scores: Doubles,
    outcome: tuple[Aggregation, float],
) -> ValueHeadReport:
    """Return how well the held-out scores do; `outcome` is the aggregation and its AUC."""
    known, own = labelled.weights > 0, _own(labelled)
    return ValueHeadReport(
        problems=len(set(labelled.problems.tolist())),
        solutions=len(study.solutions),
        steps=int(known.sum()),
        right=float(labelled.right[known].mean()),
        auc=best.auc,
        auc_sampled=auc(best.held_out[own], labelled.right[own]),
        auc_outcome=outcome[1],
        ece=calibration_error(scores[own], labelled.right[own]),
        aggregation=outcome[0],
        ridge=best.ridge,
    )


def _best(
    study: TrainingSolutions, labelled: LabelledSteps, seed: int, notice: Callable[[str], None]
) -> _Fit:
    """The way to train that orders unseen problems' steps best."""
    inputs, folds = study.features[labelled.rows], _folds(labelled, seed)
    known = labelled.weights > 0
    found: list[_Fit] = []
    for ridge in RIDGES:
        held_out = _held_out(inputs, labelled, folds, ridge)
        found.append(_Fit(ridge, held_out, auc(held_out[known], labelled.right[known])))
        notice(f"ridge {ridge}: AUC {found[-1].auc:.3f}")
    return max(found, key=lambda fit: fit.auc)


def _folds(labelled: LabelledSteps, seed: int) -> npt.NDArray[np.int64]:
    """Which part each row is held out in: a problem is in one part with all its rows."""
    numbers = np.unique(labelled.problems)
    parts = np.random.default_rng(seed).permutation(len(numbers)) % FOLDS
    return np.asarray(parts[np.searchsorted(numbers, labelled.problems)], np.int64)


def _held_out(
    inputs: Floats, labelled: LabelledSteps, folds: npt.NDArray[np.int64], ridge: float
) -> Doubles:
    """Log-odds (rows,), each row's from a training without its problem."""
    found = np.zeros(len(inputs))
    for part in range(FOLDS):
        out = folds == part
        line = fit_logistic_regression(
            inputs[~out], labelled.right[~out], labelled.weights[~out], ridge
        )
        found[out] = line(inputs[out])
    return found


def _own(labelled: LabelledSteps) -> npt.NDArray[np.bool_]:
    """The policy's own steps where it has enough of either kind, else all: scores are wanted for
    what it writes, and what is made wrong on purpose is not as often wrong."""
    known = labelled.weights > 0
    own = labelled.sampled & known
    enough = 30 <= labelled.right[own].sum() <= own.sum() - 30
    return own if enough else known


def _calibration(held_out: Doubles, labelled: LabelledSteps) -> tuple[float, float]:
    own = _own(labelled)
    return fit_platt_scaling(held_out[own], labelled.right[own])


def _outcome_auc(
    solutions: Sequence[Solution], labelled: LabelledSteps, scores: Doubles, how: Aggregation
) -> float:
    """How well the aggregated scores of sampled solutions tell right answers from wrong ones."""
    known = dict(zip(labelled.rows.tolist(), scores.tolist(), strict=True))
    drawn = [
        one
        for one in solutions
        if one.source == "sampled" and one.features and one.finish in (None, "stop")
    ]
    totals = [aggregate_step_scores([known[row] for row in one.features], how) for one in drawn]
    return auc(np.array(totals), np.array([float(bool(one.right)) for one in drawn]))
