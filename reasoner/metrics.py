"""How good scores are: do they order right above wrong, and do they mean what they say."""

import numpy as np
import numpy.typing as npt

__all__ = ["auc", "calibration_error", "fit_platt_scaling"]

Floats = npt.NDArray[np.float64]
BINS = 10


def auc(scores: Floats, right: Floats) -> float:
    """The chance that a right one scores above a wrong one, ties counting half; 0.5 where there
    is only one kind."""
    good, bad = scores[right > 0.5], np.sort(scores[right <= 0.5])
    if not len(good) or not len(bad):
        return 0.5
    below = np.searchsorted(bad, good, "left") + np.searchsorted(bad, good, "right")
    return float(below.mean() / 2 / len(bad))


def calibration_error(scores: Floats, right: Floats) -> float:
    """The mean distance between score and share of right ones, over ten bins of equal size."""
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    gaps = [abs(scores[part].mean() - right[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / max(1, len(scores)))


def fit_platt_scaling(logits: Floats, right: Floats, steps: int = 50) -> tuple[float, float]:
    """Scale and bias such that σ(scale · logit + bias) is the chance of being right (Platt 1999),
    with his softened targets; found by Newton's method, each step halved until it helps."""
    good, bad = float((right > 0.5).sum()), float((right <= 0.5).sum())
    targets = np.where(right > 0.5, (good + 1) / (good + 2), 1 / (bad + 2))
    inputs = np.stack((logits, np.ones_like(logits)), axis=1)

    def loss(parameters: Floats) -> float:
        odds = inputs @ parameters
        return float((np.logaddexp(0, odds) - targets * odds).sum())

    found = np.zeros(2)
    for _ in range(steps):
        chances = 1 / (1 + np.exp(-np.clip(inputs @ found, -60, 60)))
        slope = inputs.T @ (chances - targets)
        bend = (inputs * (chances * (1 - chances))[:, None]).T @ inputs + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-9:
            step = step / 2
        found = found - step
    return float(found[0]), float(found[1])
