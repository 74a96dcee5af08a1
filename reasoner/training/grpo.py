"""Reinforcement learning with step-level rewards: GRPO with process supervision (Shao et al. 2024).

For each problem a group of replies is drawn. Every step earns the difference of potentials of its
graph nodes (`reasoner.datagen.puzzles.reward`), a step that is not legal costs, and a right answer
pays. Rewards are normalised over the group's steps; a token's advantage is the sum of its own and
all later steps' normalised rewards, over how many steps there are. The ratio to the policy that
drew is clipped, and a penalty keeps the policy near the one that training began with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean, pstdev

import torch
from torch import Tensor
from torch.nn import functional as fn

from reasoner.datagen.puzzles.graph import build_reasoning_graph, with_moves
from reasoner.datagen.puzzles.reward import step_rewards
from reasoner.datagen.puzzles.task import PuzzleTask
from reasoner.training.encoder import Encoder
from reasoner.training.llama import Llama
from reasoner.training.sampler import ReplySampling
from reasoner.training.trials import PolicyAttempt, attempt_puzzles

__all__ = [
    "GrpoRoundReport",
    "GrpoSettings",
    "attempt_rewards",
    "group_advantages",
    "run_grpo_round",
]

ILLEGAL_STEP_REWARD, RIGHT_ANSWER_REWARD = -0.2, 0.5
REPLIES_PER_BATCH = 16
"""Replies read at once while learning."""


@dataclass(frozen=True)
class GrpoSettings:
    """`group` replies to each of `problems` problems a round; `clip` and `penalty` as in GRPO."""

    problems: int = 16
    group: int = 8
    clip: float = 0.2
    penalty: float = 0.02
    temperature: float = 1.0
    epochs: int = 2


@dataclass(frozen=True)
class GrpoRoundReport:
    """What one round of drawing and learning came to."""

    solved: float
    reward: float
    loss: float


def run_grpo_round(
    model: Llama,
    reference_model: Llama,
    optimiser: torch.optim.Optimizer,
    encoder: Encoder,
    tasks: Sequence[PuzzleTask],
    settings: GrpoSettings,
    seed: int,
) -> GrpoRoundReport:
    """Draw a group for each task and learn from it; `origin` is the policy to stay near."""
    drawing = ReplySampling(
        temperature=settings.temperature, max_steps=12, max_tokens=512, seed=seed
    )
    repeated = [task for task in tasks for _ in range(settings.group)]
    trials = attempt_puzzles(model, encoder, repeated, drawing)
    groups = [trials[i : i + settings.group] for i in range(0, len(trials), settings.group)]
    rewards = [[attempt_rewards(trial, seed) for trial in group] for group in groups]
    gains = [gain for group in rewards for gain in group_advantages(group)]
    batches = list(_batches(trials, gains, encoder))
    drawn = sum(batch.drawn for batch in batches)
    with torch.no_grad():
        apart = [(batch.logprobs(model), batch.logprobs(reference_model)) for batch in batches]
    losses = []
    for _ in range(settings.epochs):
        total = 0.0
        for batch, (before, anchor) in zip(batches, apart, strict=True):
            loss = batch.loss(model, before, anchor, settings) / drawn
            torch.autograd.backward(loss)
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(total)
    totals = [sum(steps) for group in rewards for steps in group]
    solved = fmean(trial.parsed_reply.solved for trial in trials)
    return GrpoRoundReport(solved, fmean(totals), fmean(losses))


def attempt_rewards(trial: PolicyAttempt, seed: int) -> list[float]:
    """The reward of each step; the last one's holds that of the answer."""
    task, followed = trial.task, trial.parsed_reply
    graph = build_reasoning_graph(task, Random(f"{seed}/{task.key}"))  # noqa: S311
    wider = with_moves(graph, [(visit.state, visit.move) for visit in followed.visits])
    rewards = step_rewards(wider, [(v.state, v.move.state) for v in followed.visits])
    rewards += [ILLEGAL_STEP_REWARD] * (followed.steps - len(rewards))
    rewards = rewards or [ILLEGAL_STEP_REWARD]
    rewards[-1] += RIGHT_ANSWER_REWARD if followed.solved else 0.0
    return rewards


def group_advantages(group: Sequence[Sequence[float]]) -> list[list[float]]:
    """Each step's advantage: normalised rewards, summed from the step to the end."""
    every = [reward for steps in group for reward in steps]
    mean, spread = fmean(every), pstdev(every) or 1.0
    scale = fmean(map(len, group))
    found = []
    for steps in group:
        left, sums = 0.0, list[float]()
        for reward in reversed(steps):
            left += (reward - mean) / spread
            sums.append(left / scale)
        found.append(sums[::-1])
    return found


def _batches(
    trials: Sequence[PolicyAttempt], gains: Sequence[Sequence[float]], encoder: Encoder
) -> "Iterator[_Batch]":
    """The replies in batches of about the same length, so that little is padding."""
    order = sorted(range(len(trials)), key=lambda at: len(trials[at].prompt + trials[at].reply))
    for start in range(0, len(order), REPLIES_PER_BATCH):
        chosen = order[start : start + REPLIES_PER_BATCH]
        yield _Batch([trials[at] for at in chosen], [gains[at] for at in chosen], encoder)


class _Batch:
    """Replies side by side: which tokens were drawn, and what each is worth."""

    def __init__(
        self, trials: Sequence[PolicyAttempt], gains: Sequence[Sequence[float]], encoder: Encoder
    ) -> None:
        rows = [(*trial.prompt, *trial.reply) for trial in trials]
        length = max(map(len, rows))
        self._tokens = torch.zeros(len(rows), length, dtype=torch.long)
        worth = torch.zeros(len(rows), length)
        drawn = torch.zeros(len(rows), length, dtype=torch.bool)
        forced = _forced(encoder)
        step_start = encoder.control_ids["reasoning_step_start"]
        for index, (trial, row, gain) in enumerate(zip(trials, rows, gains, strict=True)):
            self._tokens[index, : len(row)] = torch.tensor(row)
            step = -1
            for at, token in enumerate(trial.reply, len(trial.prompt)):
                step += token == step_start
                worth[index, at] = gain[min(max(step, 0), len(gain) - 1)]
                drawn[index, at] = token not in forced
        self._drawn = drawn[:, 1:]
        self._gains = worth[:, 1:][self._drawn]
        self.drawn = len(self._gains)

    def logprobs(self, model: Llama) -> Tensor:
        """Of the drawn tokens, in one row."""
        with torch.autocast("cpu", torch.bfloat16):
            logits = model.logits(model(self._tokens[:, :-1])[self._drawn])
        every = fn.log_softmax(logits.float(), -1)
        return every.gather(-1, self._tokens[:, 1:][self._drawn][:, None])[:, 0]

    def loss(self, model: Llama, before: Tensor, anchor: Tensor, how: GrpoSettings) -> Tensor:
        """Summed over the drawn tokens."""
        now = self.logprobs(model)
        ratio = (now - before).exp()
        kept = ratio.clamp(1 - how.clip, 1 + how.clip)
        gain = torch.minimum(ratio * self._gains, kept * self._gains)
        apart = anchor - now
        penalty = apart.exp() - apart - 1  # never below zero, and unbiased (Schulman 2020)
        return (how.penalty * penalty - gain).sum()


def _forced(encoder: Encoder) -> set[int]:
    """The tokens that nobody chooses."""
    names: Iterable[str] = encoder.control_ids
    kept = (name for name in names if name.endswith("_start") or name == "reasoning_step_end")
    return {encoder.control_ids[name] for name in kept}
