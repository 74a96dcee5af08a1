"""Calls to verifier, environment and tool plugins under the budget of one question."""

from collections.abc import Sequence

from reasoner.answers.extraction import code_blocks
from reasoner.plugin_host.host import PluginHost
from reasoner.policy.budget import Budget
from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Problem
from reasoner.types.tool_call import ToolCall
from reasoner.types.verdict import Submission, Verdict

__all__ = ["PluginCalls"]

SUBMISSION_SECONDS = 10.0
STEP_SECONDS = 2.0
MIN_SECONDS = 0.1


class PluginCalls:
    """The plugin host with time limits from the budget; every call ends when the budget stops.

    `known_answers` is a memo of which pairs of final answers mean the same.
    """

    def __init__(
        self, host: PluginHost, budget: Budget, known_answers: dict[frozenset[str], bool]
    ) -> None:
        self._host, self._budget = host, budget
        self._known_answers = known_answers

    async def verify(
        self, problem: Problem, submission: Submission, *, late: bool
    ) -> tuple[Verdict, ...] | None:
        """The verdicts of all verifiers; None when the budget stops first. With `late` they are
        called although the budget has stopped."""
        call = self._host.check(problem, submission, self._seconds(SUBMISSION_SECONDS))
        verdicts = await (call if late else self._budget.run_unless_stopped(call))
        self._budget.tool_calls += len(verdicts or ())
        return verdicts

    async def verify_step(self, text: str) -> tuple[Verdict, ...]:
        """The verdicts of the verifiers that judge single steps."""
        call = self._host.check_step(text, self._seconds(STEP_SECONDS))
        verdicts = await self._budget.run_unless_stopped(call) or ()
        self._budget.tool_calls += len(verdicts)
        return verdicts

    async def environment_state(
        self, problem: Problem, steps: Sequence[str]
    ) -> EnvironmentState | None:
        """The state of the problem's environment after the steps; None where no plugin knows the
        problem's rules."""
        if not self._host.offers("describe_environment"):
            return None
        problem = without_known_answer(problem)
        call = self._host.describe_environment(problem, tuple(steps), self._seconds(STEP_SECONDS))
        return await self._budget.run_unless_stopped(call)

    async def run_code(self, language: str, reply: str) -> ToolCall | None:
        """The record of running a reply's code blocks by the tool for their language; None when
        there is no such tool, no code, or the budget stops first."""
        blocks = code_blocks(reply)
        if not blocks:
            return None
        tool = next((tool for tool in self._host.tools() if tool.fence_language == language), None)
        if tool is None:
            return None
        self._budget.tool_calls += 1
        seconds = self._seconds(SUBMISSION_SECONDS)
        return await self._budget.run_unless_stopped(
            self._host.call_tool(tool.name, blocks[:-1], blocks[-1], seconds)
        )

    async def same_answer(self, first: str, second: str) -> bool:
        """Whether a plugin proves two different final answers equal; each pair is checked once."""
        pair = frozenset((first, second))
        if pair not in self._known_answers:
            call = self._host.same_answer(first, second, STEP_SECONDS)
            self._known_answers[pair] = bool(await self._budget.run_unless_stopped(call))
        return self._known_answers[pair]

    def _seconds(self, limit: float) -> float:
        remaining = self._budget.remaining_seconds
        return limit if remaining is None else max(MIN_SECONDS, min(limit, remaining))


def without_known_answer(problem: Problem) -> Problem:
    """The problem without the known answer and the given tests."""
    return problem.model_copy(update={"expect": None, "tests": None})
