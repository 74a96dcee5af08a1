"""The options of sampling."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["GREEDY", "Sampling"]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Sampling(BaseModel):
    """Decoding options with llama.cpp's meanings; temperature 0 takes the most likely token.

    `repeat_last_n` tokens are looked at by the three penalties. `grammar` is GBNF and constrains
    the whole reply, which then has no separate reasoning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: Annotated[float, Field(ge=0.0, le=10.0)] = 0.8
    top_k: Annotated[int, Field(ge=0)] = 40
    top_p: Fraction = 0.95
    min_p: Fraction = 0.05
    repeat_penalty: Annotated[float, Field(gt=0.0, le=10.0)] = 1.0
    frequency_penalty: Annotated[float, Field(ge=-10.0, le=10.0)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-10.0, le=10.0)] = 0.0
    repeat_last_n: Annotated[int, Field(ge=0, le=65536)] = 64
    grammar: str | None = None

    @classmethod
    def parse(cls, *layers: dict[str, Any]) -> Self:
        """Merge option dictionaries, later ones win. Raises UsageError for a bad name or value."""
        merged = {key: value for layer in layers for key, value in layer.items()}
        try:
            return cls(**merged)
        except ValidationError as error:
            known = ", ".join(cls.model_fields)
            raise UsageError(f"sampling option {explain(error)} (options: {known})") from error

    @property
    def penalised(self) -> bool:
        """Whether any repetition penalty applies."""
        return self.repeat_last_n > 0 and (
            self.repeat_penalty != 1.0
            or self.frequency_penalty != 0.0
            or self.presence_penalty != 0.0
        )

    @property
    def plain_argmax(self) -> bool:
        """Whether sampling is a plain argmax of the logits, so that no chain is needed."""
        return self.temperature == 0.0 and not self.penalised and self.grammar is None


GREEDY = Sampling(temperature=0.0)
