"""Tools that a policy may call while it reasons, their replies, and the record of a call."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Tool", "ToolCall", "ToolReply"]


class Tool(BaseModel):
    """The declaration of a tool that maps one text to one text, as it is shown to a model.

    `parameter` names the text argument in a function call. `fence_language` is the language tag of
    the fenced code blocks that call the tool, for models that were not trained on function calls.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    parameter: str
    fence_language: str


class ToolReply(BaseModel):
    """A tool's reply.

    `output` is inserted into the model's context, so it should be short. `ok` states that the call
    succeeded. `kept` states that its effects are visible to later calls of the same trajectory.
    """

    model_config = ConfigDict(frozen=True)

    output: str
    ok: bool = True
    kept: bool = True


class ToolCall(BaseModel):
    """The record of one tool call: the tool's name, its input `text`, its reply, its duration."""

    model_config = ConfigDict(frozen=True)

    tool: str
    text: str
    output: str
    ok: bool
    kept: bool
    seconds: float
