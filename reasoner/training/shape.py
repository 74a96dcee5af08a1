"""How large a model is: one dial, its width, and what follows from it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ModelShape"]

HEAD_WIDTH = 32


class ModelShape(BaseModel):
    """A Llama of a width (a multiple of 64); 192 gives 2.7 million parameters, 512 gives 50."""

    model_config = ConfigDict(frozen=True)

    width: Annotated[int, Field(ge=64, le=4096, multiple_of=64)] = 192
    vocabulary: int
    context: int = 4096
    head: int = HEAD_WIDTH

    @property
    def layers(self) -> int:
        return max(2, self.width // 32)

    @property
    def heads(self) -> int:
        return self.width // self.head

    @property
    def kv_heads(self) -> int:
        return max(1, self.heads // 2)

    @property
    def hidden(self) -> int:
        """Width inside the feed-forward blocks, a multiple of 32 as quantisation wants it."""
        return self.width * 8 // 3 // 32 * 32

    @property
    def theta(self) -> float:
        """The base of the rotary positions."""
        return 10_000.0

    @property
    def epsilon(self) -> float:
        return 1e-5
