"""Muon for the inner matrices, AdamW for the other parameters, and the learning rate schedule.

Muon (Jordan et al. 2024) orthogonalises the momentum of a matrix; on models of this size it needs
markedly fewer steps than AdamW for the same loss. Its learning rate is scaled so that its updates
are as large as those of AdamW.
"""

from typing import Any

import torch

from reasoner.training.llama import Llama

__all__ = ["Optimiser", "learning_rate_at"]


class Optimiser:
    """Muon and AdamW as one optimiser."""

    def __init__(self, model: Llama, rate: float) -> None:
        matrices = [
            p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name
        ]
        others = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
        self._optimisers = (
            torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
        )

    def step(self, rate: float) -> None:
        """Apply the gradients with a learning rate, and clear them."""
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def state_dicts(self) -> list[dict[str, Any]]:
        """Return the states of both, for a checkpoint."""
        return [optimiser.state_dict() for optimiser in self._optimisers]

    def load_state_dicts(self, states: list[dict[str, Any]]) -> None:
        """Restore what `state_dicts` returned."""
        for optimiser, state in zip(self._optimisers, states, strict=True):
            optimiser.load_state_dict(state)


def learning_rate_at(step: int, steps: int, rate: float, decay: float) -> float:
    """Return the learning rate of a step: a short linear rise to `rate`, a plateau, and a linear
    fall to zero over the last `decay` of the steps."""
    rise_steps = min(100, max(1, steps // 20))
    fall = (steps - step) / max(1.0, decay * steps)
    return rate * min(1.0, (step + 1) / rise_steps, fall)
