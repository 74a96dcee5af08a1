"""Python as a tool: the blocks of one trajectory form a session, as in a notebook."""

from python_sandbox.session import run_block
from reasoner.plugin_host.hookspecs import hookimpl
from reasoner.types.tool_call import Tool, ToolReply

__all__ = ["call_tool", "register_tools"]

PYTHON = Tool(
    name="python",
    description="You can run Python (with sympy) to compute and to check; print what you need.",
    parameter="code",
    fence_language="python",
)


@hookimpl
def register_tools() -> tuple[Tool, ...]:
    """Return the tool `python`."""
    return (PYTHON,)


@hookimpl
def call_tool(earlier: tuple[str, ...], text: str, seconds: float) -> ToolReply:
    """Run a block in the state that the trajectory's earlier blocks left."""
    block = run_block(earlier, text, seconds)
    if block.refused is not None:
        return ToolReply(output=f"not run: {block.refused}", ok=False, kept=False)
    return ToolReply(output=block.output, ok=block.ok, kept=block.kept)
