"""Muon for the matrices inside, AdamW for the rest, and how the learning rate falls.

Muon (Jordan et al. 2024) orthogonalises the momentum of a matrix; on models of this size it needs
markedly fewer steps than AdamW for the same loss. Its rate is scaled to AdamW's size of update.
"""

from typing import Any

import torch

from reasoner.training.llama import Llama

__all__ = ["Optimiser", "learning_rate_at"]


class Optimiser:
    """Both optimisers as one."""

    def __init__(self, model: Llama, rate: float) -> None:
        inside = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
        outside = [p for name, p in model.named_parameters() if p.ndim == 1 or "embed" in name]
        self._both = (
            torch.optim.Muon(inside, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(outside, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
        )

    def step(self, rate: float) -> None:
        """Apply the gradients and forget them."""
        for optimiser in self._both:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def state_dicts(self) -> list[dict[str, Any]]:
        return [optimiser.state_dict() for optimiser in self._both]

    def load_state_dicts(self, states: list[dict[str, Any]]) -> None:
        for optimiser, state in zip(self._both, states, strict=True):
            optimiser.load_state_dict(state)


def learning_rate_at(step: int, steps: int, rate: float, decay: float) -> float:
    """A short rise, a plateau, and a straight fall to zero over the last `decay` of the steps."""
    rise = min(100, max(1, steps // 20))
    fall = (steps - step) / max(1.0, decay * steps)
    return rate * min(1.0, (step + 1) / rise, fall)
