"""Samples one token from a row of logits under a constraint, with a native sampler chain."""

import ctypes
from math import log
from typing import Any

import numpy as np

from reasoner.engine.constraints import Allow, Ban, Constraint
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.output_row import FloatArray
from reasoner.engine.local.sampler_chain import build_chain, build_grammar
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Token
from reasoner.errors import EngineError

__all__ = ["TokenSampler", "log_sum_exp"]

MAX_CANDIDATES = 4096
"""Above this many candidates copying them to the chain costs more than the native sampler."""


class TokenSampler:
    """The sampler state of one request: native chain, random numbers and grammar.

    `history` are the prompt tokens that the repetition penalties look at. `close` frees the native
    objects. Raises UsageError when the grammar is not valid GBNF.
    """

    def __init__(
        self, context: LlamaContext, sampling: Sampling, seed: int, history: list[int]
    ) -> None:
        import llama_cpp as lc

        self._lc, self._context = lc, context
        self._chain: Any = None
        self._grammar: Any = None
        if sampling.grammar is not None:
            self._grammar = build_grammar(context.vocabulary.pointer, sampling.grammar)
        if not sampling.plain_argmax:
            self._chain = build_chain(sampling, seed, tuple(history), context.vocabulary)
        self._top_k = 0 if sampling.penalised or sampling.temperature == 0.0 else sampling.top_k
        self._logit_margin = 10.0

    def sample(self, batch_index: int, constraint: Constraint) -> Token:
        """Sample a token for batch entry `index`. Its log-probability and entropy are those of
        the unconstrained model. Raises EngineError when no logit is finite."""
        row = self._context.logits(batch_index)
        total, entropy = log_sum_exp(row, self._context.logits_buffer)
        token = self._sample_constrained(row, batch_index, constraint)
        return Token(token, float(row[token]) - total, entropy=entropy)

    def accept(self, token: int) -> None:
        """Count a forced token in the repetition penalties."""
        if self._chain is not None:
            self._lc.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        """Free the native samplers; may be called twice."""
        for sampler in (self._chain, self._grammar):
            if sampler is not None:
                self._lc.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def _sample_constrained(self, row: FloatArray, index: int, constraint: Constraint) -> int:
        if isinstance(constraint, Allow):
            return self._sample_among(row, np.array(constraint.tokens, np.int32))
        if isinstance(constraint, Ban):
            row[list(constraint.tokens)] = -np.inf
        if self._grammar is not None:
            return self._sample_grammar(row, index)
        if self._chain is None:
            return int(row.argmax())
        return self._sample_row(row, index)

    def _sample_row(self, row: FloatArray, index: int) -> int:
        """Sample from the whole row. A chain that begins with top-k gets the most likely tokens
        only: the outcome is the same, and the native sampler copies and sorts its whole input."""
        near = self._top_candidates(row) if 0 < self._top_k < len(row) else None
        if near is None or len(near) > MAX_CANDIDATES:
            return self._context.sample(self._chain, index)
        return self._sample_among(row, near)

    def _top_candidates(self, row: FloatArray) -> Any:
        """Return the tokens whose logits are within `_logit_margin` of the largest: at least the
        top-k, or None when too few tokens are possible at all. The width adapts to the
        distributions."""
        top = row.max()
        for _ in range(8):
            near = np.flatnonzero(row > top - self._logit_margin)
            if len(near) > MAX_CANDIDATES // 2:
                self._logit_margin *= 0.9
            if len(near) >= self._top_k:
                return near
            self._logit_margin *= 1.5
        return None

    def _sample_among(self, row: FloatArray, tokens: Any) -> int:
        """Sample from the given tokens at their own logits, and count the token in the chain."""
        if self._chain is None:
            return int(tokens[row[tokens].argmax()])
        candidates = self._candidate_array(row, tokens)
        self._lc.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        token = int(candidates.data[candidates.selected].id)
        self._lc.llama_sampler_accept(self._chain, token)
        return token

    def _sample_grammar(self, row: FloatArray, index: int) -> int:
        """Sample freely first: checking one token against the grammar is faster than filtering
        all of them."""
        token = int(row.argmax()) if self._chain is None else self._sample_row(row, index)
        if not self._filter_grammar(row, np.array([token], np.int32)).size:
            token = self._sample_among(
                row, self._filter_grammar(row, np.arange(len(row), dtype=np.int32))
            )
        self._lc.llama_sampler_accept(self._grammar, token)
        return token

    def _filter_grammar(self, row: FloatArray, tokens: Any) -> Any:
        """Return the subset of `tokens` that the grammar accepts."""
        candidates = self._candidate_array(row, tokens)
        self._lc.llama_sampler_apply(self._grammar, ctypes.byref(candidates))
        token_ids = [c.id for c in candidates.data[: candidates.size] if c.logit != -np.inf]
        return np.array(token_ids, np.int32)

    def _candidate_array(self, row: FloatArray, tokens: Any) -> Any:
        data = (self._lc.llama_token_data * len(tokens))()
        table = np.frombuffer(data, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
        table["id"], table["logit"] = tokens, row[tokens]
        array = self._lc.llama_token_data_array(
            data=data, size=len(tokens), selected=-1, sorted=False
        )
        array.keep = data
        return array


def log_sum_exp(row: FloatArray, buffer: FloatArray) -> tuple[float, float]:
    """Return log Σ exp over a row of logits and the entropy of their softmax in nats.

    `buffer` is scratch space of the row's size, which saves an allocation.

    Raises EngineError when no logit is finite.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = float(np.exp(row, out=buffer).sum())
        mean = float(buffer @ row) / total if 1e-30 < total < np.inf else np.nan
    if np.isfinite(mean):  # usual logits fit a float without being shifted
        return log(total), max(0.0, log(total) - mean)
    return _shifted_log_sum_exp(row, buffer)


def _shifted_log_sum_exp(row: FloatArray, buffer: FloatArray) -> tuple[float, float]:
    """As `log_sum_exp`, for logits of any magnitude, also -inf."""
    top = float(row.max())
    if not np.isfinite(top):
        raise EngineError("the model produced no finite logits; the file may be damaged")
    possible = row[row > -np.inf] - top
    weights = np.exp(possible, out=buffer[: len(possible)])
    total = float(weights.sum())
    return top + log(total), max(0.0, log(total) - float(weights @ possible) / total)
