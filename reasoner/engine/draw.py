"""Drawing one token from a row of logits under a constraint, with a native sampler chain."""

import ctypes
from math import log
from typing import Any

import numpy as np

from reasoner.engine.context import Context, Floats
from reasoner.engine.control import Allow, Ban, Constraint
from reasoner.engine.sampler_chain import build_chain, build_grammar
from reasoner.engine.sampling import Sampling
from reasoner.engine.token import Token
from reasoner.errors import EngineError

__all__ = ["Drawer", "log_sum_exp"]

MANY = 4096
"""Candidates above which handing them over costs as much as finding them."""


class Drawer:
    """One request's sampler state: its chain, its random numbers, its grammar."""

    def __init__(self, context: Context, sampling: Sampling, seed: int, history: list[int]) -> None:
        import llama_cpp as lc

        self._lc, self._context = lc, context
        self._chain: Any = None
        self._grammar: Any = None
        if sampling.grammar is not None:
            self._grammar = build_grammar(context.vocabulary.pointer, sampling.grammar)
        if not sampling.plain_argmax:
            self._chain = build_chain(sampling, seed, tuple(history), context.vocabulary.size)
        self._keep = 0 if sampling.penalised or sampling.temperature == 0.0 else sampling.top_k
        self._width = 10.0

    def draw(self, index: int, constraint: Constraint) -> Token:
        """A token for batch entry `index`. Its log-probability and entropy are those of the
        unconstrained model."""
        row = self._context.logits(index)
        total, entropy = log_sum_exp(row, self._context.buffer)
        token = self._choose(row, index, constraint)
        return Token(token, float(row[token]) - total, entropy=entropy)

    def accept(self, token: int) -> None:
        """Tell the penalties of a token that was placed without drawing it."""
        if self._chain is not None:
            self._lc.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        for sampler in (self._chain, self._grammar):
            if sampler is not None:
                self._lc.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def _choose(self, row: Floats, index: int, constraint: Constraint) -> int:
        if isinstance(constraint, Allow):
            return self._among(row, np.array(constraint.tokens, np.int32))
        if isinstance(constraint, Ban):
            row[list(constraint.tokens)] = -np.inf
        if self._grammar is not None:
            return self._grammatical(row, index)
        if self._chain is None:
            return int(row.argmax())
        return self._draw(row, index)

    def _draw(self, row: Floats, index: int) -> int:
        """One draw from the whole row. A chain that begins with top-k gets the likeliest tokens
        only: the outcome is the same, and the native sampler copies and sorts all it is given."""
        near = self._nearest(row) if 0 < self._keep < len(row) else None
        if near is None or len(near) > MANY:
            return self._context.sample(self._chain, index)
        return self._among(row, near)

    def _nearest(self, row: Floats) -> Any:
        """The tokens within `_width` of the likeliest: at least the top-k, or None when there are
        hardly so many that are possible at all. The width follows the model's distributions."""
        top = row.max()
        for _ in range(8):
            near = np.flatnonzero(row > top - self._width)
            if len(near) > MANY // 2:
                self._width *= 0.9
            if len(near) >= self._keep:
                return near
            self._width *= 1.5
        return None

    def _among(self, row: Floats, tokens: Any) -> int:
        """Draw from a few tokens at their own logits; the chain is told the outcome."""
        if self._chain is None:
            return int(tokens[row[tokens].argmax()])
        candidates = self._candidates(row, tokens)
        self._lc.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        token = int(candidates.data[candidates.selected].id)
        self._lc.llama_sampler_accept(self._chain, token)
        return token

    def _grammatical(self, row: Floats, index: int) -> int:
        """Draw freely first: checking one token against the grammar beats filtering them all."""
        token = int(row.argmax()) if self._chain is None else self._draw(row, index)
        if not self._allowed(row, np.array([token], np.int32)).size:
            token = self._among(row, self._allowed(row, np.arange(len(row), dtype=np.int32)))
        self._lc.llama_sampler_accept(self._grammar, token)
        return token

    def _allowed(self, row: Floats, tokens: Any) -> Any:
        """Those of `tokens` that the grammar lets through."""
        candidates = self._candidates(row, tokens)
        self._lc.llama_sampler_apply(self._grammar, ctypes.byref(candidates))
        kept = [c.id for c in candidates.data[: candidates.size] if c.logit != -np.inf]
        return np.array(kept, np.int32)

    def _candidates(self, row: Floats, tokens: Any) -> Any:
        data = (self._lc.llama_token_data * len(tokens))()
        table = np.frombuffer(data, dtype=[("id", "i4"), ("logit", "f4"), ("p", "f4")])
        table["id"], table["logit"] = tokens, row[tokens]
        array = self._lc.llama_token_data_array(
            data=data, size=len(tokens), selected=-1, sorted=False
        )
        array.keep = data
        return array


def log_sum_exp(row: Floats, buffer: Floats) -> tuple[float, float]:
    """log Σ exp over a row of logits, and the entropy of their softmax in nats, through a buffer of
    the row's size: allocating one costs more.

    Raises EngineError when no logit is finite.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = float(np.exp(row, out=buffer).sum())
        mean = float(buffer @ row) / total if 1e-30 < total < np.inf else np.nan
    if np.isfinite(mean):  # all but unheard-of logits fit a float without being shifted
        return log(total), max(0.0, log(total) - mean)
    return _shifted(row, buffer)


def _shifted(row: Floats, buffer: Floats) -> tuple[float, float]:
    """The same for logits of any size, some of them -inf."""
    top = float(row.max())
    if not np.isfinite(top):
        raise EngineError("the model produced no finite logits; the file may be damaged")
    possible = row[row > -np.inf] - top
    weights = np.exp(possible, out=buffer[: len(possible)])
    total = float(weights.sum())
    return top + log(total), max(0.0, log(total) - float(weights @ possible) / total)
