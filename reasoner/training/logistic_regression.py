"""Logistic regression with an L2 penalty, fitted by Newton's method."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["LogisticModel", "fit_logistic_regression"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

NEWTON_STEPS = 25
MAX_LOG_ODDS = 30.0


class LogisticModel(NamedTuple):
    """A function from inputs to log-odds: `inputs @ weight + bias`."""

    weight: Doubles
    bias: float

    def __call__(self, inputs: Floats) -> Doubles:
        return np.asarray(inputs @ self.weight + self.bias, np.float64)


def fit_logistic_regression(
    inputs: Floats, right: Doubles, weights: Doubles, ridge: float
) -> LogisticModel:
    """Fit log-odds that separate right rows of inputs (rows, width) from wrong ones.

    `right` (1.0 or 0.0) and `weights` have one entry for each row; `ridge` is the L2 penalty on the
    weights of standardised inputs.
    """
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    bias_column = np.ones((len(inputs), 1))
    design = np.hstack(((inputs - mean) / scale, bias_column)).astype(np.float64)
    penalty = np.diag([ridge] * inputs.shape[1] + [1e-6])
    parameters = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        log_odds = np.clip(design @ parameters, -MAX_LOG_ODDS, MAX_LOG_ODDS)
        probabilities = 1 / (1 + np.exp(-log_odds))
        gradient = design.T @ (weights * (probabilities - right)) + penalty @ parameters
        curvature = weights * probabilities * (1 - probabilities)
        hessian = (design * curvature[:, None]).T @ design + penalty
        damping = 1e-6 * np.eye(len(parameters))
        parameters = parameters - np.linalg.solve(hessian + damping, gradient)
    weight = parameters[:-1] / scale
    return LogisticModel(weight, float(parameters[-1] - weight @ mean))
