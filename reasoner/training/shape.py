"""The dimensions of a model, all of which follow from its width."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ModelShape"]

HEAD_WIDTH = 32


class ModelShape(BaseModel):
    """The shape of a Llama. A width of 192 gives 2.7 million parameters, 512 gives 50 million."""

    model_config = ConfigDict(frozen=True)

    width: Annotated[int, Field(ge=64, le=4096, multiple_of=64)] = 192
    vocabulary: int
    context: int = 4096
    head: int = HEAD_WIDTH

    @property
    def layers(self) -> int:
        """The number of blocks."""
        return max(2, self.width // 32)

    @property
    def heads(self) -> int:
        """The number of attention heads."""
        return self.width // self.head

    @property
    def kv_heads(self) -> int:
        """The number of heads of keys and values."""
        return max(1, self.heads // 2)

    @property
    def hidden(self) -> int:
        """The width inside the feed-forward blocks, a multiple of 32, which quantisation needs."""
        return self.width * 8 // 3 // 32 * 32

    @property
    def theta(self) -> float:
        """The base of the frequencies of the rotary positions."""
        return 10_000.0

    @property
    def epsilon(self) -> float:
        """The constant of the RMS norms."""
        return 1e-5
