"""Training of a value head on solutions, with selection and calibration by cross-validation."""

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
MIN_CALIBRATION_STEPS = 30
"""Right steps, and wrong ones, that calibration on sampled steps alone needs."""
RIDGES = (1.0, 5.0, 20.0, 60.0)
SHARED_FACTS = ("model_sha256", "width")
"""Facts that must be equal in all files that a head is trained on."""


class TrainingSolutions(NamedTuple):
    """Solutions, the rows of features that they number, and the facts of the first file."""

    facts: RunFacts
    solutions: list[Solution]
    features: Floats


class ValueHeadReport(BaseModel):
    """Figures of cross-validation over problems: each is about problems that were held out.

    `auc` is over all steps, `auc_sampled` over sampled ones, `auc_outcome` over sampled solutions
    by their aggregated score. `ece` is the calibration error on the steps used for calibration.
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
    """A ridge, the log-odds of each row from a fit without its problem, and their AUC."""

    ridge: float
    held_out: Doubles
    auc: float


def load_training_solutions(paths: Sequence[Path]) -> TrainingSolutions:
    """Read files of `reasoner data rollouts`.

    Raises UsageError when the files are of different models, or the features are not finite.
    """
    facts: RunFacts = {}
    solutions: list[Solution] = []
    features: list[Floats] = []
    rows = 0
    for path in paths:
        file_facts, file_solutions, file_features = read_solutions(path)
        facts = facts or file_facts
        for key in SHARED_FACTS:
            if file_facts.get(key) != facts.get(key):
                raise UsageError(f"{path} has another {key} than {paths[0]}; train on one alone")
        solutions += [
            solution.model_copy(update={"features": tuple(row + rows for row in solution.features)})
            for solution in file_solutions
        ]
        features.append(np.asarray(file_features, np.float32))
        rows += len(file_features)
    all_features = np.concatenate(features)
    if not np.isfinite(all_features).all():
        raise UsageError(f"{paths[0]}: the rows hold numbers that are not finite")
    return TrainingSolutions(facts, solutions, all_features)


def train_value_head(
    data: TrainingSolutions, seed: int, notice: Callable[[str], None] = lambda _text: None
) -> tuple[ValueHead, ValueHeadReport]:
    """Return a value head trained on the data, and the report of its cross-validation.

    The result is the same for the same seed. `notice` is called with a line for each ridge. Raises
    UsageError when there are too few problems or only right or only wrong steps.
    """
    labelled = label_steps(data.solutions)
    problems = len(set(labelled.problems.tolist()))
    if problems < MIN_PROBLEMS or len({*labelled.right.tolist()}) < 2:
        raise UsageError(
            f"{problems} problems are too few to train on, or all their steps are alike; "
            f"at least {MIN_PROBLEMS} with right and wrong steps are needed"
        )
    fit = _best_fit(data, labelled, seed, notice)
    scale, bias = _calibrate(fit.held_out, labelled)
    scores = 1 / (1 + np.exp(-np.clip(scale * fit.held_out + bias, -60, 60)))
    outcome_aucs = {
        aggregation: _outcome_auc(data.solutions, labelled, scores, aggregation)
        for aggregation in AGGREGATIONS
    }
    aggregation = max(outcome_aucs, key=lambda name: outcome_aucs[name])
    inputs = data.features[labelled.rows]
    line = fit_logistic_regression(inputs, labelled.right, labelled.weights, fit.ridge)
    layer = line.weight[None].astype(np.float32), np.array([line.bias], np.float32)
    steps = int((labelled.weights > 0).sum())
    head = ValueHead(
        (layer,),
        scale=scale,
        bias=bias,
        aggregation=aggregation,
        base_sha256=data.facts.get("model_sha256"),
        data=f"{problems} problems, {len(data.solutions)} solutions, {steps} steps",
        seed=seed,
    )
    outcome = (aggregation, outcome_aucs[aggregation])
    return head, _report(data, labelled, fit, scores, outcome)


def _report(
    data: TrainingSolutions,
    labelled: LabelledSteps,
    fit: _Fit,
    scores: Doubles,
    outcome: tuple[Aggregation, float],
) -> ValueHeadReport:
    """Return the figures of the held-out scores; `outcome` is the aggregation and its AUC."""
    is_weighted, is_own = labelled.weights > 0, _calibration_rows(labelled)
    return ValueHeadReport(
        problems=len(set(labelled.problems.tolist())),
        solutions=len(data.solutions),
        steps=int(is_weighted.sum()),
        right=float(labelled.right[is_weighted].mean()),
        auc=fit.auc,
        auc_sampled=auc(fit.held_out[is_own], labelled.right[is_own]),
        auc_outcome=outcome[1],
        ece=calibration_error(scores[is_own], labelled.right[is_own]),
        aggregation=outcome[0],
        ridge=fit.ridge,
    )


def _best_fit(
    data: TrainingSolutions, labelled: LabelledSteps, seed: int, notice: Callable[[str], None]
) -> _Fit:
    """Return the fit with the highest AUC on held-out problems."""
    inputs, folds = data.features[labelled.rows], _folds(labelled, seed)
    is_weighted = labelled.weights > 0
    fits: list[_Fit] = []
    for ridge in RIDGES:
        held_out = _held_out_log_odds(inputs, labelled, folds, ridge)
        fit_auc = auc(held_out[is_weighted], labelled.right[is_weighted])
        fits.append(_Fit(ridge, held_out, fit_auc))
        notice(f"ridge {ridge}: AUC {fit_auc:.3f}")
    return max(fits, key=lambda fit: fit.auc)


def _folds(labelled: LabelledSteps, seed: int) -> npt.NDArray[np.int64]:
    """Return the fold that each row is held out in, which is the same for all of a problem."""
    numbers = np.unique(labelled.problems)
    folds = np.random.default_rng(seed).permutation(len(numbers)) % FOLDS
    return np.asarray(folds[np.searchsorted(numbers, labelled.problems)], np.int64)


def _held_out_log_odds(
    inputs: Floats, labelled: LabelledSteps, folds: npt.NDArray[np.int64], ridge: float
) -> Doubles:
    """Return the log-odds of each row from a fit without its fold, (rows,)."""
    log_odds = np.zeros(len(inputs))
    for fold in range(FOLDS):
        is_held_out = folds == fold
        line = fit_logistic_regression(
            inputs[~is_held_out],
            labelled.right[~is_held_out],
            labelled.weights[~is_held_out],
            ridge,
        )
        log_odds[is_held_out] = line(inputs[is_held_out])
    return log_odds


def _calibration_rows(labelled: LabelledSteps) -> npt.NDArray[np.bool_]:
    """Return which rows to calibrate on: the sampled steps when enough of them are right and
    enough wrong, else all. Scores are for sampled steps, and corrupted ones change the share of
    wrong steps."""
    is_weighted = labelled.weights > 0
    is_own = labelled.sampled & is_weighted
    right_steps = labelled.right[is_own].sum()
    is_enough = MIN_CALIBRATION_STEPS <= right_steps <= is_own.sum() - MIN_CALIBRATION_STEPS
    return is_own if is_enough else is_weighted


def _calibrate(held_out: Doubles, labelled: LabelledSteps) -> tuple[float, float]:
    """Return scale and bias of the log-odds."""
    rows = _calibration_rows(labelled)
    return fit_platt_scaling(held_out[rows], labelled.right[rows])


def _outcome_auc(
    solutions: Sequence[Solution],
    labelled: LabelledSteps,
    scores: Doubles,
    aggregation: Aggregation,
) -> float:
    """Return the AUC of the aggregated scores of complete sampled solutions."""
    score_of_row = dict(zip(labelled.rows.tolist(), scores.tolist(), strict=True))
    samples = [
        solution
        for solution in solutions
        if solution.source == "sampled" and solution.features and solution.finish in (None, "stop")
    ]
    totals = [
        aggregate_step_scores([score_of_row[row] for row in solution.features], aggregation)
        for solution in samples
    ]
    right = [float(bool(solution.right)) for solution in samples]
    return auc(np.array(totals), np.array(right))
