"""What a strategy is given and what it gives back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from reasoner.budget import Budget
from reasoner.events import Channel, OnEvent, StepEvent, TextEvent
from reasoner.path import Path
from reasoner.policy import Policy
from reasoner.problem import Problem

__all__ = ["Strategy", "Tools"]


@dataclass(frozen=True)
class Tools:
    """The tools of the trade. A strategy holds no cache, no batch and no model."""

    policy: Policy
    budget: Budget
    emit: OnEvent

    async def extend(self, path: Path, number: int = 0) -> Path:
        """Continue path `number` by a round and tell everybody what was written."""

        def on_text(channel: Channel, text: str) -> None:
            self.emit(TextEvent(path=number, channel=channel, text=text))

        longer = await self.policy.extend(path, seed=number, on_text=on_text)
        if len(longer.steps) > len(path.steps):
            index = len(longer.steps) - 1
            self.emit(StepEvent(path=number, index=index, step=longer.steps[index]))
        return longer


Strategy = Callable[[Problem, Tools], Awaitable[list[Path]]]
"""Paths that are done, the best first. When the budget stops it, it returns what it has."""
