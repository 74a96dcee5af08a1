"""Tool calls of a policy: which rounds may end in a call, and how a call is executed."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from reasoner.engine.interface import Engine
from reasoner.policy.budget import Budget
from reasoner.protocol.fallback_calls import FallbackStyle
from reasoner.protocol.fenced_calls import FencedStyle
from reasoner.protocol.protocol import Round
from reasoner.protocol.tool_call_round import ToolCallRound, append_tool_output
from reasoner.protocol.tool_call_styles import ToolCallRequest, ToolCallStyle
from reasoner.types.tool_call import ToolCall
from reasoner.types.trajectory import Trajectory

__all__ = ["ToolCallConfig", "ToolCaller"]

MAX_TOOL_CALLS = 8
"""The maximum number of tool calls of one trajectory."""
MAX_CALL_SECONDS = 10.0
MIN_CALL_SECONDS = 0.1


@dataclass(frozen=True)
class ToolCallConfig:
    """How a policy may call tools.

    The model writes calls in `call_style`; `call_tool(tool, earlier inputs, input, seconds)`
    executes one. With `force_first_call`, every trajectory begins with a call. A trajectory whose
    call cannot be read is told about `fallback`, and may use it from then on.
    """

    call_style: ToolCallStyle
    call_tool: Callable[[str, tuple[str, ...], str, float], Coroutine[Any, Any, ToolCall]]
    force_first_call: bool = False
    fallback: FencedStyle | None = None


class ToolCaller:
    """Detects tool calls in the rounds of trajectories and executes them under the budget."""

    def __init__(self, engine: Engine, budget: Budget, calling: ToolCallConfig) -> None:
        self._engine, self._budget, self._calling = engine, budget, calling

    @property
    def style(self) -> ToolCallStyle:
        """How calls are written."""
        return self._calling.call_style

    def watch_round(self, round_: Round, trajectory: Trajectory) -> Round:
        """The trajectory's next round, wrapped so that it ends at a complete call, if the
        trajectory may still make one."""
        call_count = sum(step.call is not None for step in trajectory.steps)
        if trajectory.soft_stopped or call_count >= MAX_TOOL_CALLS:
            return round_
        style = self._style_of(trajectory)
        if round_.channel == "answer" and not style.function_schemas():
            return round_  # a fenced block in an answer is the answer
        forced = self._calling.force_first_call and not trajectory.tokens
        opening = self._engine.tokenize(self.style.call_prefix) if forced else ()
        return ToolCallRound(round_, trajectory, style, self._engine, opening)

    def _style_of(self, trajectory: Trajectory) -> ToolCallStyle:
        """The style in which the trajectory may make its next call."""
        fallback = self._calling.fallback
        if fallback is None or not _has_unreadable_call(trajectory):
            return self.style
        return FallbackStyle(self.style, fallback)

    async def execute_call(self, trajectory: Trajectory, call: ToolCallRequest) -> ToolCall:
        """The record of the call that ends the trajectory; a failed one when the call is malformed
        or the budget stops it."""
        if call.error is not None:
            return _failed(call, self._explain(call.error))
        records = [step.call for step in trajectory.steps if step.call is not None]
        earlier = tuple(
            record.text for record in records if record.kept and record.tool == call.tool
        )
        self._budget.tool_calls += 1
        execution = self._calling.call_tool(call.tool, earlier, call.text, self._seconds())
        return await self._budget.run_unless_stopped(execution) or _failed(call, "stopped")

    def insert_output(
        self,
        trajectory: Trajectory,
        record: ToolCall,
        max_output_tokens: int,
        call: ToolCallRequest | None = None,
    ) -> Trajectory:
        """The trajectory with the tool's output after its last step, cut to `max_output_tokens`.

        `call` is how the model wrote the call, where that differs from the policy's own style."""
        style = self._calling.fallback if call and call.fenced else None
        missing_end = call.missing_end if call else ""
        wrapper = (style or self.style).output_wrapper(record.tool)
        text = record.output or "(no output)"
        if wrapper.as_json:
            text = json.dumps(text, ensure_ascii=False)[1:-1]
        tokens = [
            *self._engine.tokenize(missing_end + wrapper.before),
            *self._engine.tokenize(text, special=False)[:max_output_tokens],
            *self._engine.tokenize(wrapper.after),
        ]
        self._budget.count_inserted(len(tokens))
        return append_tool_output(trajectory, record, tokens)

    def _explain(self, error: str) -> str:
        """What a model is told whose call cannot be made: why, and how else it may call."""
        fallback = self._calling.fallback
        sentence = f"{error[:1].upper()}{error[1:]}."
        return sentence if fallback is None else f"{sentence} {fallback.instruction}"

    def _seconds(self) -> float:
        remaining = self._budget.remaining_seconds
        if remaining is None:
            return MAX_CALL_SECONDS
        return max(MIN_CALL_SECONDS, min(MAX_CALL_SECONDS, remaining))


def _has_unreadable_call(trajectory: Trajectory) -> bool:
    return any(step.call is not None and not step.call.tool for step in trajectory.steps)


def _failed(call: ToolCallRequest, reason: str) -> ToolCall:
    return ToolCall(
        tool=call.tool, text=call.text, output=reason, ok=False, kept=False, seconds=0.0
    )
