"""What a plugin may offer; a module with any of these functions, marked `@hookimpl`, is one.

Hooks are plain synchronous functions; the host calls them in threads. They get text a model
wrote, so whatever parses or runs it belongs in a killable child (`reasoner.verify.child`).
"""

import pluggy
from pydantic import JsonValue

from reasoner.frame import Frame
from reasoner.problem import Problem
from reasoner.tool import Tool, ToolReply
from reasoner.verdict import Candidate, Outcome, Verdict

__all__ = ["GROUP", "PluginHooks", "hookimpl", "hookspec"]

GROUP = "reasoner"
"""The entry-point group, and pluggy's project name."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class PluginHooks:
    """The specification; an implementation takes any subset of the arguments, by name."""

    @hookspec
    def permit(self, unsafe_exec: bool) -> None:
        """Told before anything is asked, what the person allows: `unsafe_exec` that a model's
        code runs even where no sandbox is strong enough for it."""

    @hookspec
    def verify(self, problem: Problem, candidate: Candidate, seconds: float) -> Verdict | None:
        """Judge a candidate within `seconds`; None when the plugin has nothing to say about it."""

    @hookspec
    def lasting(self) -> bool:  # type: ignore[empty-body]
        """Whether `verify` depends on nothing but its arguments and the plugin itself, so that
        what it decided may be kept. Without it, the plugin is asked every time."""

    @hookspec
    def verify_step(self, text: str, seconds: float) -> Verdict | None:
        """Judge one step of a reasoning that still goes on; None without anything to say.

        FAIL means that the step is certainly wrong in itself: a search drops or repeats it.
        """

    @hookspec
    def frame(self, problem: Problem, steps: tuple[str, ...]) -> Frame | None:
        """How the problem, after these steps, is thought on in small ones; None where the plugin
        does not know its kind. It frames and checks; what the next step is, the model says."""

    @hookspec
    def same_answer(self, left: str, right: str, seconds: float) -> Outcome | None:
        """Whether two short final answers mean the same: PASS, FAIL, or UNKNOWN when it cannot
        be decided within `seconds`. Neither is the known one."""

    @hookspec
    def tools(self) -> tuple[Tool, ...]:  # type: ignore[empty-body]
        """What a policy may call in the middle of its thought."""

    @hookspec
    def use(self, tool: str, earlier: tuple[str, ...], text: str, seconds: float) -> ToolReply:  # type: ignore[empty-body]
        """Answer one call within `seconds`; `earlier` are the texts of the calls that the same
        path has made of this tool before, in order, as far as their effects are to be kept."""

    @hookspec
    def health(self) -> dict[str, JsonValue]:  # type: ignore[empty-body]
        """How the plugin is, for `doctor`: at least `ok` (bool) and `detail` (one line)."""

    @hookspec
    def close(self) -> None:
        """End every process the plugin started."""
