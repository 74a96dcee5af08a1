"""llama.cpp's native samplers for the decoding options: the chain and the grammar."""

from typing import Any

from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError

__all__ = ["build_chain", "build_grammar"]


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

    samplers: list[Any] = []
    if sampling.penalised:
        samplers.append(
            lc.llama_sampler_init_penalties(
                n_vocab,
                sampling.repeat_last_n,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
        )
    if sampling.temperature == 0.0:
        return [*samplers, lc.llama_sampler_init_greedy()]
    if sampling.top_k > 0:
        samplers.append(lc.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1.0:
        samplers.append(lc.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0.0:
        samplers.append(lc.llama_sampler_init_min_p(sampling.min_p, 1))
    return [
        *samplers,
        lc.llama_sampler_init_temp(sampling.temperature),
        lc.llama_sampler_init_dist(seed),
    ]


def build_grammar(vocab: Any, grammar: str) -> Any:
    """Return a native GBNF sampler, separate from the chain because forced tokens must not reach
    it. Raises UsageError when the grammar is not valid."""
    import llama_cpp as lc

    sampler = lc.llama_sampler_init_grammar(vocab, grammar.encode(errors="replace"), b"root")
    if not sampler:
        raise UsageError("the grammar is not valid GBNF with a rule named 'root'")
    return sampler
