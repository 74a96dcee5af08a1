"""Python as a tool in mid-thought: a path's blocks are one session, as in a notebook."""

from reasoner.plugins.python_sandbox.session import run_block
from reasoner.tool import Tool, ToolReply
from reasoner.verify.hookspecs import hookimpl

__all__ = ["call_tool", "register_tools"]

PYTHON = Tool(
    name="python",
    description="You can run Python (with sympy) to compute and to check; print what you need.",
    parameter="code",
    fence="python",
)


@hookimpl
def register_tools() -> tuple[Tool, ...]:
    """The one tool there is."""
    return (PYTHON,)


@hookimpl
def call_tool(earlier: tuple[str, ...], text: str, seconds: float) -> ToolReply:
    """Run a block in the state that the path's earlier blocks have left."""
    block = run_block(earlier, text, seconds)
    if block.refused is not None:
        return ToolReply(output=f"not run: {block.refused}", ok=False, kept=False)
    return ToolReply(output=block.output, ok=block.ok, kept=block.kept)
