"""Many replies at once under Steiner's grammar: the controller's rules as tables, for rollouts in
training. What is claimed of a model is measured with the program's own engine instead."""

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
    """How replies are drawn; `temperature` 0 takes the likeliest token."""

    temperature: float = 0.0
    max_steps: int = 40
    max_tokens: int = 1280
    backtrack: bool = True
    seed: int = 0


class ReplySampler:
    """A policy's weights, copied, with the grammar of its vocabulary."""

    def __init__(self, model: Llama, encoder: Encoder) -> None:
        self._model = Llama(model.shape)
        self._model.load_state_dict(model.state_dict())
        self._model = self._model.to(torch.bfloat16).eval()
        self._encoder, self._ids = encoder, encoder.control_ids
        self._forced = self._next_marks()
        self._phases, self._allowed = self._rules()

    @torch.no_grad()
    def sample_replies(
        self,
        prompts: Sequence[Sequence[int]],
        sampling: ReplySampling,
        prefixes: Sequence[Sequence[int]] | None = None,
    ) -> list[list[int]]:
        """A reply for each prompt, without the prompt, going on from what is `begun` of it; one
        cut off has no end token."""
        generator = torch.Generator().manual_seed(sampling.seed)
        opening = [self._ids["reasoning_start"]]
        batch = _Batch(self, prompts, prefixes or [opening] * len(prompts), sampling)
        while batch.unfinished:
            logits = batch.read()
            batch.write(_drawn(logits, sampling.temperature, generator))
        return batch.replies

    def _next_marks(self) -> Tensor:
        """The token that must follow each token, or -1."""
        ids, forced = self._ids, torch.full((self._encoder.size,), -1)
        starts = ids["reasoning_step_start"]
        for name in ("reasoning_start", "reasoning_proceed", "reasoning_backtrack"):
            forced[ids[name]] = starts
        marks = [starts]
        for field in FIELDS:
            forced[marks[-1]] = ids[f"reasoning_step_{field}_start"]
            marks.append(ids[f"reasoning_step_{field}_end"])
        forced[marks[-1]] = ids["reasoning_step_end"]
        return forced

    def _rules(self) -> tuple[Tensor, Tensor]:
        """The phase that each token opens (or -1), and what may be drawn in each phase."""
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
    """Rows under way. All stand at the same position; those that are done are dropped."""

    def __init__(
        self,
        sampler: ReplySampler,
        prompts: Sequence[Sequence[int]],
        begun: Sequence[Sequence[int]],
        how: ReplySampling,
    ) -> None:
        self._sampler, self._how = sampler, how
        self._prompts = [[*p, *b] for p, b in zip(prompts, begun, strict=True)]
        self._starts = [len(prompt) for prompt in prompts]
        self.replies: list[list[int]] = [[] for _ in prompts]
        self._rows = list(range(len(prompts)))
        self._last = torch.tensor([prompt[0] for prompt in prompts])
        self._phase = torch.zeros(len(prompts), dtype=torch.long)
        self._steps = torch.zeros(len(prompts), dtype=torch.long)
        self._position = 0
        length = max(map(len, self._prompts)) + how.max_tokens
        self._length = min(length, sampler._model.shape.context)
        self._cache = sampler._model.new_cache(len(prompts), self._length)
        self._read_ahead()

    def _read_ahead(self) -> None:
        """Read at once what all rows have, but for the last token of the shortest."""
        shared = min(map(len, self._prompts)) - 1
        if shared < 1:
            return
        begun = torch.tensor([prompt[:shared] for prompt in self._prompts])
        self._sampler._model(begun, self._cache)
        for self._position in range(1, shared + 1):
            self._place(torch.tensor([prompt[self._position] for prompt in self._prompts]))

    @property
    def unfinished(self) -> bool:
        return bool(self._rows) and self._position < self._length - 1

    def read(self) -> Tensor:
        """The logits of what may come next, (rows, vocabulary)."""
        model, sampler = self._sampler._model, self._sampler
        states = model(self._last[:, None], self._cache, self._position)
        logits = model.logits(states[:, 0]).float()
        allowed = sampler._allowed[self._phase]
        ids = sampler._ids
        if not self._how.backtrack:
            allowed[:, ids["reasoning_backtrack"]] = False
        ending = (self._steps >= self._how.max_steps) & (self._phase == 4)
        for name in ("reasoning_proceed", "reasoning_backtrack"):
            allowed[ending, ids[name]] = False
        return logits.masked_fill(~allowed, -torch.inf)

    def write(self, drawn: Tensor) -> None:
        sampler = self._sampler
        forced = sampler._forced[self._last]
        following = torch.where(forced >= 0, forced, drawn)
        self._position += 1
        for at, row in enumerate(self._rows):
            prompt = self._prompts[row]
            if self._position < len(prompt):
                following[at] = prompt[self._position]
        self._drop((following == sampler._ids["im_end"]) & self._place(following))

    def _place(self, following: Tensor) -> Tensor:
        """Let these stand at the current position; return which of them belong to a reply."""
        sampler = self._sampler
        for row, token in zip(self._rows, following.tolist(), strict=True):
            if self._position >= self._starts[row]:
                self.replies[row].append(token)
        writing = torch.tensor([self._position >= self._starts[row] for row in self._rows])
        phase = sampler._phases[following]
        self._phase = torch.where((phase >= 0) & writing, phase, self._phase)
        self._steps += (following == sampler._ids["reasoning_step_end"]) & writing
        self._last = following
        return writing

    def _drop(self, done: Tensor) -> None:
        """Forget rows that have ended."""
        if not bool(done.any()):
            return
        kept = (~done).nonzero()[:, 0]
        self._rows = [self._rows[int(at)] for at in kept]
        self._last, self._phase = self._last[kept], self._phase[kept]
        self._steps = self._steps[kept]
        self._cache = [(keys[kept], values[kept]) for keys, values in self._cache]


def _drawn(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if temperature <= 0:
        return logits.argmax(-1)
    shares = torch.softmax(logits / temperature, -1)
    return torch.multinomial(shares, 1, generator=generator)[:, 0]
