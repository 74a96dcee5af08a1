"""Batched sampling under Steiner's grammar, with the controller's rules as tables.

It is meant for rollouts in training; measurements of a model use the program's own engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reasoner.protocol.steiner import FIELDS
from reasoner.training.encoder import Encoder
from reasoner.training.llama import Llama

__all__ = ["ReplySampler", "ReplySampling"]


@dataclass(frozen=True)
class ReplySampling:
    """How replies are sampled. A `temperature` of 0 takes the likeliest token; without `backtrack`
    that decision is not allowed."""

    temperature: float = 0.0
    max_steps: int = 40
    max_tokens: int = 1280
    backtrack: bool = True
    seed: int = 0


class ReplySampler:
    """A copy of a policy's weights with the grammar of its vocabulary as tables."""

    def __init__(self, model: Llama, encoder: Encoder) -> None:
        self._model = Llama(model.shape)
        self._model.load_state_dict(model.state_dict())
        self._model = self._model.to(torch.bfloat16).eval()
        self._encoder, self._ids = encoder, encoder.control_ids
        self._forced = self._forced_tokens()
        self._phases, self._allowed = self._phase_tables()

    @torch.no_grad()
    def sample_replies(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: ReplySampling,
        prefixes: Sequence[Sequence[int]] | None = None,
    ) -> list[list[int]]:
        """Return the tokens of a reply for each prompt, without the prompt.

        `prefixes` are the beginnings of the replies, by default the first control token. A reply
        that reached a limit has no end token.
        """
        generator = torch.Generator().manual_seed(sampling.seed)
        opening = [self._ids["reasoning_start"]]
        batch = _Batch(self, prompts, prefixes or [opening] * len(prompts), sampling)
        while batch.unfinished:
            logits = batch.next_logits()
            batch.append_tokens(_sample_tokens(logits, sampling.temperature, generator))
        return batch.replies

    def _forced_tokens(self) -> Tensor:
        """Return the token that must follow each token, or -1, (vocabulary,)."""
        ids, forced = self._ids, torch.full((self._encoder.size,), -1)
        previous = ids["reasoning_step_start"]
        for name in ("reasoning_start", "reasoning_proceed", "reasoning_backtrack"):
            forced[ids[name]] = previous
        for field in FIELDS:
            forced[previous] = ids[f"reasoning_step_{field}_start"]
            previous = ids[f"reasoning_step_{field}_end"]
        forced[previous] = ids["reasoning_step_end"]
        return forced

    def _phase_tables(self) -> tuple[Tensor, Tensor]:
        """Return the phase that each token begins, or -1, (vocabulary,), and the tokens that are
        allowed in each phase, (phases, vocabulary)."""
        ids, size = self._ids, self._encoder.size
        phases = torch.full((size,), -1)
        allowed = torch.ones(len(FIELDS) + 2, size, dtype=torch.bool)
        allowed[:, list(ids.values())] = False
        for phase, field in enumerate(FIELDS):
            phases[ids[f"reasoning_step_{field}_start"]] = phase
            allowed[phase, ids[f"reasoning_step_{field}_end"]] = True
        decision, answer = len(FIELDS), len(FIELDS) + 1
        phases[ids["reasoning_step_end"]], phases[ids["reasoning_end"]] = decision, answer
        allowed[decision] = False
        for name in ("proceed", "backtrack", "end"):
            allowed[decision, ids[f"reasoning_{name}"]] = True
        allowed[answer, ids["im_end"]] = True
        return phases, allowed


class _Batch:
    """Replies that are being sampled, one row each, all at the same position. Rows that end are
    removed."""

    def __init__(
        self,
        sampler: ReplySampler,
        prompts: Sequence[Sequence[int]],
        prefixes: Sequence[Sequence[int]],
        sampling: ReplySampling,
    ) -> None:
        self._sampler, self._sampling = sampler, sampling
        self._given_tokens = [[*p, *b] for p, b in zip(prompts, prefixes, strict=True)]
        self._reply_starts = [len(prompt) for prompt in prompts]
        self.replies: list[list[int]] = [[] for _ in prompts]
        self._rows = list(range(len(prompts)))
        self._last_tokens = torch.tensor([prompt[0] for prompt in prompts])
        self._phase = torch.zeros(len(prompts), dtype=torch.long)
        self._steps = torch.zeros(len(prompts), dtype=torch.long)
        self._position = 0
        length = max(map(len, self._given_tokens)) + sampling.max_tokens
        self._length = min(length, sampler._model.shape.context)
        self._cache = sampler._model.new_cache(len(prompts), self._length)
        self._prefill()

    def _prefill(self) -> None:
        """Process at once the positions that all rows have, but the last one of the shortest."""
        count = min(map(len, self._given_tokens)) - 1
        if count < 1:
            return
        tokens = torch.tensor([row[:count] for row in self._given_tokens])
        self._sampler._model(tokens, self._cache)
        for self._position in range(1, count + 1):
            self._place(torch.tensor([row[self._position] for row in self._given_tokens]))

    @property
    def unfinished(self) -> bool:
        """Whether rows remain and the limit is not reached."""
        return bool(self._rows) and self._position < self._length - 1

    def next_logits(self) -> Tensor:
        """Return the logits of the next tokens, (rows, vocabulary), -inf where not allowed."""
        model, sampler = self._sampler._model, self._sampler
        states = model(self._last_tokens[:, None], self._cache, self._position)
        logits = model.logits(states[:, 0]).float()
        allowed = sampler._allowed[self._phase]
        ids = sampler._ids
        if not self._sampling.backtrack:
            allowed[:, ids["reasoning_backtrack"]] = False
        is_decision = self._phase == len(FIELDS)
        must_end = (self._steps >= self._sampling.max_steps) & is_decision
        for name in ("reasoning_proceed", "reasoning_backtrack"):
            allowed[must_end, ids[name]] = False
        return logits.masked_fill(~allowed, -torch.inf)

    def append_tokens(self, sampled: Tensor) -> None:
        """Advance by one position, with the sampled tokens where none are forced or given."""
        sampler = self._sampler
        forced = sampler._forced[self._last_tokens]
        tokens = torch.where(forced >= 0, forced, sampled)
        self._position += 1
        for index, row in enumerate(self._rows):
            given_tokens = self._given_tokens[row]
            if self._position < len(given_tokens):
                tokens[index] = given_tokens[self._position]
        is_reply = self._place(tokens)
        self._remove_rows((tokens == sampler._ids["im_end"]) & is_reply)

    def _place(self, tokens: Tensor) -> Tensor:
        """Set the tokens of the current position; return which of them belong to a reply."""
        sampler = self._sampler
        for row, token in zip(self._rows, tokens.tolist(), strict=True):
            if self._position >= self._reply_starts[row]:
                self.replies[row].append(token)
        is_reply = torch.tensor([self._position >= self._reply_starts[row] for row in self._rows])
        phase = sampler._phases[tokens]
        self._phase = torch.where((phase >= 0) & is_reply, phase, self._phase)
        self._steps += (tokens == sampler._ids["reasoning_step_end"]) & is_reply
        self._last_tokens = tokens
        return is_reply

    def _remove_rows(self, is_done: Tensor) -> None:
        """Remove the rows that have ended."""
        if not bool(is_done.any()):
            return
        remaining = (~is_done).nonzero()[:, 0]
        self._rows = [self._rows[int(index)] for index in remaining]
        self._last_tokens, self._phase = self._last_tokens[remaining], self._phase[remaining]
        self._steps = self._steps[remaining]
        self._cache = [(keys[remaining], values[remaining]) for keys, values in self._cache]


def _sample_tokens(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Return one token for each row of logits."""
    if temperature <= 0:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits / temperature, -1)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]
