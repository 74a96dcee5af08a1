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

    A `dry_multiplier` above 0 turns on DRY ("don't repeat yourself"): a token that would prolong a
    repetition of `dry_allowed_length` tokens or more within the last `dry_penalty_last_n` tokens
    loses `dry_multiplier * dry_base ** (length - dry_allowed_length)` of its logit.
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
    dry_multiplier: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    dry_base: Annotated[float, Field(ge=1.0, le=10.0)] = 1.75
    dry_allowed_length: Annotated[int, Field(ge=1, le=1024)] = 2
    dry_penalty_last_n: Annotated[int, Field(ge=0, le=65536)] = 4096
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
    def has_token_penalties(self) -> bool:
        """Whether single tokens are penalised for having occurred."""
        return self.repeat_last_n > 0 and (
            self.repeat_penalty != 1.0
            or self.frequency_penalty != 0.0
            or self.presence_penalty != 0.0
        )

    @property
    def has_dry(self) -> bool:
        """Whether repeated sequences are penalised (DRY)."""
        return self.dry_multiplier > 0.0 and self.dry_penalty_last_n > 0

    @property
    def penalised(self) -> bool:
        """Whether any repetition penalty applies."""
        return self.has_token_penalties or self.has_dry

    @property
    def history_tokens(self) -> int:
        """How many earlier tokens the repetition penalties look at."""
        tokens = self.repeat_last_n if self.has_token_penalties else 0
        return max(tokens, self.dry_penalty_last_n if self.has_dry else 0)

    @property
    def plain_argmax(self) -> bool:
        """Whether sampling is a plain argmax of the logits, so that no chain is needed."""
        return self.temperature == 0.0 and not self.penalised and self.grammar is None


GREEDY = Sampling(temperature=0.0)
