"""Statistics of scores and of counts of right answers: ranking, calibration, intervals, tests.

NumPy is imported inside the functions, because commands that only count do not need it.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = [
    "auc",
    "calibration_error",
    "equal_width_calibration_error",
    "fit_platt_scaling",
    "sign_test",
    "wilson_interval",
]

CALIBRATION_BINS = 10
MAX_LOG_ODDS = 60.0
"""Log-odds are clipped to this before the logistic function, so that nothing overflows."""


def auc(scores: "Floats", right: "Floats") -> float:
    """Return the probability that a right item scores above a wrong one, ties counting half.

    `scores` and `right` (1.0 or 0.0) have one entry for each item. Returns 0.5 when all items are
    of one kind.
    """
    import numpy as np

    right_scores, wrong_scores = scores[right > 0.5], np.sort(scores[right <= 0.5])
    if not len(right_scores) or not len(wrong_scores):
        return 0.5
    below = np.searchsorted(wrong_scores, right_scores, "left")
    below_or_equal = np.searchsorted(wrong_scores, right_scores, "right")
    return float((below + below_or_equal).mean() / 2 / len(wrong_scores))


def calibration_error(scores: "Floats", right: "Floats") -> float:
    """Return the mean distance between score and share of right items over ten bins that hold
    equally many items. The arguments are those of `auc`."""
    import numpy as np

    order = np.argsort(scores, kind="stable")
    bins = [indices for indices in np.array_split(order, CALIBRATION_BINS) if len(indices)]
    gaps = [abs(scores[indices].mean() - right[indices].mean()) * len(indices) for indices in bins]
    return float(sum(gaps) / max(1, len(scores)))


def equal_width_calibration_error(scores: "Floats", right: "Floats", bins: int) -> float:
    """Return the expected calibration error (Naeini et al. 2015): as `calibration_error`, but over
    `bins` intervals of [0, 1] that are equally wide."""
    import numpy as np

    bin_of_item = np.minimum(bins - 1, (scores * bins).astype(int))
    gaps = np.bincount(bin_of_item, weights=scores - right, minlength=bins)
    return float(np.abs(gaps).sum() / max(1, len(scores)))


def fit_platt_scaling(logits: "Floats", right: "Floats", steps: int = 50) -> tuple[float, float]:
    """Return a scale and a bias such that σ(scale · logit + bias) is the probability of being
    right (Platt 1999, with his softened targets).

    They are found by Newton's method, and each of its steps is halved until the loss falls.
    """
    import numpy as np

    right_count, wrong_count = float((right > 0.5).sum()), float((right <= 0.5).sum())
    high, low = (right_count + 1) / (right_count + 2), 1 / (wrong_count + 2)
    targets = np.where(right > 0.5, high, low)
    inputs = np.stack((logits, np.ones_like(logits)), axis=1)

    def loss(parameters: "Floats") -> float:
        log_odds = inputs @ parameters
        return float((np.logaddexp(0, log_odds) - targets * log_odds).sum())

    parameters = np.zeros(2)
    for _ in range(steps):
        log_odds = np.clip(inputs @ parameters, -MAX_LOG_ODDS, MAX_LOG_ODDS)
        probabilities = 1 / (1 + np.exp(-log_odds))
        gradient = inputs.T @ (probabilities - targets)
        curvature = (inputs * (probabilities * (1 - probabilities))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + 1e-6 * np.eye(2), gradient)
        while loss(parameters - step) > loss(parameters) and np.abs(step).max() > 1e-9:
            step = step / 2
        parameters = parameters - step
    return float(parameters[0]), float(parameters[1])


def sign_test(wins: int, losses: int) -> float:
    """Return the two-sided probability of a split at least as uneven when both are as likely."""
    count = wins + losses
    tail = sum(math.comb(count, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / float(2**count))


def wilson_interval(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return the score interval of the proportion `right` of `count` (Wilson 1927). The default
    `z` gives 95 %."""
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return centre - half, centre + half
