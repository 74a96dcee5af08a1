"""How one token is drawn: the options, and the native sampler chain they amount to."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["GREEDY", "Sampling", "build_chain", "build_grammar"]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Sampling(BaseModel):
    """Decoding options with llama.cpp's meanings; temperature 0 takes the likeliest token.

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
        """Merge option dictionaries, later ones winning; a bad name or value is a UsageError."""
        merged = {key: value for layer in layers for key, value in layer.items()}
        try:
            return cls(**merged)
        except ValidationError as error:
            known = ", ".join(cls.model_fields)
            raise UsageError(f"sampling option {explain(error)} (options: {known})") from error

    @property
    def penalised(self) -> bool:
        return self.repeat_last_n > 0 and (
            self.repeat_penalty != 1.0
            or self.frequency_penalty != 0.0
            or self.presence_penalty != 0.0
        )

    @property
    def plain_argmax(self) -> bool:
        """Whether the draw is nothing but the largest logit, so no chain is needed."""
        return self.temperature == 0.0 and not self.penalised and self.grammar is None


GREEDY = Sampling(temperature=0.0)


def build_chain(sampling: Sampling, seed: int, history: tuple[int, ...], n_vocab: int) -> Any:
    """The chain penalties → top-k → top-p → min-p → temperature → draw, as a native pointer.

    `history` are the tokens before the first draw; the penalties look at its end. The caller
    frees the chain with `llama_sampler_free`.
    """
    import llama_cpp as lc

    chain = lc.llama_sampler_chain_init(lc.llama_sampler_chain_default_params())
    for sampler in _samplers(sampling, seed, n_vocab):
        lc.llama_sampler_chain_add(chain, sampler)
    if sampling.penalised:
        for token in history[-sampling.repeat_last_n :]:
            lc.llama_sampler_accept(chain, token)
    return chain


def _samplers(sampling: Sampling, seed: int, n_vocab: int) -> list[Any]:
    import llama_cpp as lc

    found: list[Any] = []
    if sampling.penalised:
        found.append(
            lc.llama_sampler_init_penalties(
                n_vocab,
                sampling.repeat_last_n,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
        )
    if sampling.temperature == 0.0:
        return [*found, lc.llama_sampler_init_greedy()]
    if sampling.top_k > 0:
        found.append(lc.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1.0:
        found.append(lc.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0.0:
        found.append(lc.llama_sampler_init_min_p(sampling.min_p, 1))
    return [
        *found,
        lc.llama_sampler_init_temp(sampling.temperature),
        lc.llama_sampler_init_dist(seed),
    ]


def build_grammar(vocab: Any, grammar: str) -> Any:
    """A native GBNF sampler, kept apart from the chain because forced tokens must not reach it."""
    import llama_cpp as lc

    sampler = lc.llama_sampler_init_grammar(vocab, grammar.encode(errors="replace"), b"root")
    if not sampler:
        raise UsageError("the grammar is not valid GBNF with a rule named 'root'")
    return sampler
