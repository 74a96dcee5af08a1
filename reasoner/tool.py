"""What a policy may call in the middle of its thought, and the record of a call."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Tool", "ToolCall", "ToolReply"]


class Tool(BaseModel):
    """A tool as a model is told of it: one text in, one text out.

    `parameter` names the text in a function call; `fence` is the language of the fenced blocks
    that call it where a model knows no function calls.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    parameter: str
    fence: str


class ToolReply(BaseModel):
    """What a tool says. `output` goes back into the context, so it is short; `ok` tells that the
    call succeeded, `kept` that later calls of the same path are to see its effects."""

    model_config = ConfigDict(frozen=True)

    output: str
    ok: bool = True
    kept: bool = True


class ToolCall(BaseModel):
    """A call as it was made: what went in, what came back, how long it took."""

    model_config = ConfigDict(frozen=True)

    tool: str
    text: str
    output: str
    ok: bool
    kept: bool
    seconds: float
