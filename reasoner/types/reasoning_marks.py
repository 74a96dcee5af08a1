"""The marks between which a model writes its reasoning."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ReasoningMarks"]

Mark = Annotated[str, Field(min_length=2, max_length=80)]


class ReasoningMarks(BaseModel):
    """How a family of models marks a block of reasoning, as data.

    `opening` and `closing` are recognised in what the model writes. `open_text` is appended to a
    prompt to open the block, `close_text` is forced to close it, and `empty_block` is appended to
    a prompt for an answer without reasoning; all three have usual defaults. `other_openings` open
    a further block, such as another channel. `ignored` marks are dropped wherever they stand.
    `message_end` is a token that ends a part of a reply, though it ends replies in other families.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    opening: Mark
    closing: Mark
    open_text: str = ""
    close_text: str = ""
    empty_block: str = ""
    other_openings: tuple[Mark, ...] = ()
    ignored: tuple[Mark, ...] = ()
    message_end: str = ""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.opening == self.closing:
            raise ValueError("`opening` and `closing` must differ")
        return self

    @property
    def text_to_open(self) -> str:
        """The text that opens a block at the end of a prompt."""
        return self.open_text or f"{self.opening}\n"

    @property
    def text_to_close(self) -> str:
        """The text that closes an open block, up to where the answer begins."""
        return self.close_text or f"\n{self.closing}\n\n"

    @property
    def text_of_empty_block(self) -> str:
        """The text of a block without reasoning, up to where the answer begins."""
        return self.empty_block or f"{self.text_to_open}{self.text_to_close}"

    @property
    def openings(self) -> tuple[str, ...]:
        """All marks that open a block."""
        return (self.opening, *self.other_openings)

    @property
    def all(self) -> tuple[str, ...]:
        """All marks."""
        return (*self.openings, self.closing, *self.ignored)
