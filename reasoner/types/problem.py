"""A problem: the question, the conversation before it, and what a right answer is checked with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

__all__ = ["Message", "Problem", "TextContent", "join_text_parts"]

TEXT_PARTS = ("text", "input_text")
MEDIA_PARTS = ("image", "audio", "video", "file")


def join_text_parts(content: Any) -> Any:
    """The text of a content that is a list of parts, joined; any other content as it is.

    Raises ValueError for a part that is no text, such as an image.
    """
    return "".join(map(_part_text, content)) if isinstance(content, list | tuple) else content


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in TEXT_PARTS and isinstance(part.get("text"), str):
        return str(part["text"])
    media = next((media for media in MEDIA_PARTS if media in str(kind)), None)
    if media is not None:
        raise ValueError(f"{media} parts are not supported; this program reads text only")
    raise ValueError("a part of a content is {'type': 'text', 'text': …}")


TextContent = Annotated[str, BeforeValidator(join_text_parts)]
"""Text, also from a list of parts of text."""


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: TextContent


class Problem(BaseModel):
    """A question with its context.

    `history` holds the earlier turns, oldest first, without their reasoning. `system` replaces the
    protocol's own instruction. `expect` is the known answer, used only to check the result. `tests`
    is Python code that checks the reply's code: assertions, `check(candidate)` or `test_…`
    functions. `entry_point` names the function under test; None stands for the one that the
    question leaves to be written. `expect` and `tests` are never shown to a model.
    """

    model_config = ConfigDict(frozen=True)

    question: TextContent
    system: str | None = None
    history: tuple[Message, ...] = ()
    expect: str | None = None
    tests: str | None = None
    entry_point: str | None = None
