"""llama.cpp's native samplers for the decoding options: the chain and the grammar."""

import ctypes
from typing import Any

from reasoner.engine.local.vocabulary import NativeVocabulary
from reasoner.engine.sampling import Sampling
from reasoner.errors import UsageError

__all__ = ["build_chain", "build_grammar"]

DRY_BREAKERS = (b"\n", b":", b'"', b"*")
"""llama.cpp's default: a repetition is counted anew after each of these."""


def build_chain(
    sampling: Sampling, seed: int, history: tuple[int, ...], vocabulary: NativeVocabulary
) -> Any:
    """The chain DRY → penalties → top-k → top-p → min-p → temperature → draw, as a native pointer.

    `history` are the tokens before the first draw; the penalties look at its end. The caller
    frees the chain with `llama_sampler_free`.
    """
    import llama_cpp as lc

    chain = lc.llama_sampler_chain_init(lc.llama_sampler_chain_default_params())
    for sampler in _samplers(sampling, seed, vocabulary):
        lc.llama_sampler_chain_add(chain, sampler)
    if sampling.penalised:
        for token in history[-sampling.history_tokens :]:
            lc.llama_sampler_accept(chain, token)
    return chain


def _samplers(sampling: Sampling, seed: int, vocabulary: NativeVocabulary) -> list[Any]:
    import llama_cpp as lc

    samplers = _penalties(sampling, vocabulary)
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


def _penalties(sampling: Sampling, vocabulary: NativeVocabulary) -> list[Any]:
    import llama_cpp as lc

    samplers: list[Any] = []
    if sampling.has_dry:
        breakers = (ctypes.c_char_p * len(DRY_BREAKERS))(*DRY_BREAKERS)
        samplers.append(
            lc.llama_sampler_init_dry(
                vocabulary.pointer,
                sampling.dry_multiplier,
                sampling.dry_base,
                sampling.dry_allowed_length,
                sampling.dry_penalty_last_n,
                breakers,
                len(DRY_BREAKERS),
            )
        )
    if sampling.has_token_penalties:
        samplers.append(
            lc.llama_sampler_init_penalties(
                vocabulary.size,
                sampling.repeat_last_n,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
        )
    return samplers


def build_grammar(vocab: Any, grammar: str) -> Any:
    """Return a native GBNF sampler, separate from the chain because forced tokens must not reach
    it. Raises UsageError when the grammar is not valid."""
    import llama_cpp as lc

    sampler = lc.llama_sampler_init_grammar(vocab, grammar.encode(errors="replace"), b"root")
    if not sampler:
        raise UsageError("the grammar is not valid GBNF with a rule named 'root'")
    return sampler
