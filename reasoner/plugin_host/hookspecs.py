"""The hooks that a plugin may implement; any module with a `@hookimpl` function is a plugin.

Hooks are plain synchronous functions, and the host calls them in threads. Their arguments hold
text that a model wrote, so a plugin that parses or runs it does so in a child process that can be
killed (`reasoner.sandbox.worker_process`).
"""

from collections.abc import Callable

import pluggy
from pydantic import JsonValue

from reasoner.types.environment_state import EnvironmentState
from reasoner.types.problem import Problem
from reasoner.types.tool_call import Tool, ToolReply
from reasoner.types.verdict import Outcome, Submission, Verdict

__all__ = ["GROUP", "CompareAnswers", "PluginHooks", "hookimpl", "hookspec"]

GROUP = "reasoner"
"""The entry-point group, and pluggy's project name."""

CompareAnswers = Callable[[str, str, float], tuple[Outcome, str]]
"""Takes the expected answer, the given answer and a time limit in seconds; returns PASS (equal),
FAIL (different) or UNKNOWN, and the reason in one line. It raises nothing."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class PluginHooks:
    """The hook specification. An implementation takes any subset of a hook's arguments, by name."""

    @hookspec
    def set_permissions(self, unsafe_exec: bool) -> None:
        """Receive what the user allows, before any other hook is called.

        `unsafe_exec` allows a model's code to run where no sandbox is strong enough for it.
        """

    @hookspec
    def verify(
        self,
        problem: Problem,
        submission: Submission,
        seconds: float,
        compare_answers: CompareAnswers,
    ) -> Verdict | None:
        """Check a submission within `seconds` of wall time.

        `compare_answers` asks all plugins that implement the hook of that name whether two answers
        are equal. Returns None when the plugin does not apply to the problem.
        """

    @hookspec
    def is_deterministic(self) -> bool:  # type: ignore[empty-body]
        """Return whether `verify` depends only on its arguments and the plugin's version.

        The verdicts of such a plugin are cached; any other plugin is called every time.
        """

    @hookspec
    def verify_step(self, text: str, seconds: float) -> Verdict | None:
        """Check one reasoning step of an unfinished trajectory within `seconds`.

        FAIL means that the step is certainly wrong in itself: a search drops or repeats it.
        Returns None when the step holds nothing that the plugin can check.
        """

    @hookspec
    def describe_environment(
        self, problem: Problem, steps: tuple[str, ...]
    ) -> EnvironmentState | None:
        """Return the state that `steps` lead to, where the problem is one solved in small steps.

        The state must not contain the next step: a plugin describes and checks steps, and the
        model proposes them. Returns None for any other kind of problem.
        """

    @hookspec
    def compare_answers(
        self, expected: str, answer: str, seconds: float
    ) -> tuple[Outcome, str] | None:
        """Decide within `seconds` whether two short final answers are equal.

        Returns PASS (equal), FAIL (different) or UNKNOWN (not decided), with the reason in one
        line; None when the plugin does not compare answers of this kind. When two submissions are
        compared with each other, neither is the known answer.
        """

    @hookspec
    def register_tools(self) -> tuple[Tool, ...]:  # type: ignore[empty-body]
        """Return the tools that a policy may call in the middle of its reasoning."""

    @hookspec
    def call_tool(  # type: ignore[empty-body]
        self, tool: str, earlier: tuple[str, ...], text: str, seconds: float
    ) -> ToolReply:
        """Execute one call of a tool within `seconds` and return its output.

        `text` is the argument of the call. `earlier` are the arguments of the calls of this tool
        that the same trajectory made before, in order, without those whose reply had `kept` unset.
        """

    @hookspec
    def health(self) -> dict[str, JsonValue]:  # type: ignore[empty-body]
        """Run a self-test for `doctor` and return at least `ok` (bool) and `detail` (one line)."""

    @hookspec
    def close(self) -> None:
        """End every process that the plugin started."""
