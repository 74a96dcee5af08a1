"""Logistic regression with a ridge, found by Newton's method: a few features need no more."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["LogisticModel", "fit_logistic_regression"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

NEWTON_STEPS = 25


class LogisticModel(NamedTuple):
    """The log-odds are `inputs @ weight + bias`."""

    weight: Doubles
    bias: float

    def __call__(self, inputs: Floats) -> Doubles:
        return np.asarray(inputs @ self.weight + self.bias, np.float64)


def fit_logistic_regression(
    inputs: Floats, right: Doubles, weights: Doubles, ridge: float
) -> LogisticModel:
    """The line that tells right rows of inputs (n, width) from wrong ones, each row counting as its
    weight says; `ridge` pulls the weights of standardised inputs towards nothing."""
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    table = np.hstack(((inputs - mean) / scale, np.ones((len(inputs), 1)))).astype(np.float64)
    pull = np.diag([ridge] * inputs.shape[1] + [1e-6])
    found = np.zeros(table.shape[1])
    for _ in range(NEWTON_STEPS):
        chances = 1 / (1 + np.exp(-np.clip(table @ found, -30, 30)))
        slope = table.T @ (weights * (chances - right)) + pull @ found
        bend = (table * (weights * chances * (1 - chances))[:, None]).T @ table + pull
        found = found - np.linalg.solve(bend + 1e-6 * np.eye(len(found)), slope)
    weight = found[:-1] / scale
    return LogisticModel(weight, float(found[-1] - weight @ mean))
