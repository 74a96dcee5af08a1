"""Reinforcement learning with step-level rewards: GRPO with process supervision (Shao et al. 2024).

A group of replies is sampled for each problem. The reward of a step is the difference of potentials
of its graph nodes (`reasoner.datagen.puzzles.reward`); illegal steps have a negative reward, and
the last step's reward includes that of a right answer. Rewards are normalised over the group's
steps. A token's advantage is the sum of the normalised rewards from its step to the end, divided by
the mean number of steps. The ratio to the policy that sampled is clipped, and a penalty keeps the
policy close to a reference model.
"""

from collections.abc import Iterator, Sequence
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

ILLEGAL_STEP_REWARD = -0.2
RIGHT_ANSWER_REWARD = 0.5
REPLIES_PER_BATCH = 16


@dataclass(frozen=True)
class GrpoSettings:
    """Settings of a round: `group` replies are sampled for each of `problems` problems. `clip` and
    `penalty` are ε and β of GRPO."""

    problems: int = 16
    group: int = 8
    clip: float = 0.2
    penalty: float = 0.02
    temperature: float = 1.0
    epochs: int = 2


@dataclass(frozen=True)
class GrpoRoundReport:
    """The share of solved problems, the mean reward of a reply, and the mean loss of a round."""

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
    """Sample a group of replies for each task and update the model by them."""
    sampling = ReplySampling(
        temperature=settings.temperature, max_steps=12, max_tokens=512, seed=seed
    )
    repeated_tasks = [task for task in tasks for _ in range(settings.group)]
    attempts = attempt_puzzles(model, encoder, repeated_tasks, sampling)
    starts = range(0, len(attempts), settings.group)
    groups = [attempts[start : start + settings.group] for start in starts]
    rewards = [[attempt_rewards(attempt, seed) for attempt in group] for group in groups]
    advantages = [steps for group in rewards for steps in group_advantages(group)]
    batches = list(_batches(attempts, advantages, encoder))
    losses = _update(model, reference_model, optimiser, batches, settings)
    reply_rewards = [sum(steps) for group in rewards for steps in group]
    solved = fmean(attempt.parsed_reply.solved for attempt in attempts)
    return GrpoRoundReport(solved, fmean(reply_rewards), fmean(losses))


def _update(
    model: Llama,
    reference_model: Llama,
    optimiser: torch.optim.Optimizer,
    batches: Sequence["_Batch"],
    settings: GrpoSettings,
) -> list[float]:
    """Make one optimiser step for each epoch over all batches; return the losses."""
    sampled_tokens = sum(batch.sampled_tokens for batch in batches)
    with torch.no_grad():
        logprobs = [(batch.logprobs(model), batch.logprobs(reference_model)) for batch in batches]
    losses = []
    for _ in range(settings.epochs):
        total = 0.0
        for batch, (old_logprobs, reference_logprobs) in zip(batches, logprobs, strict=True):
            loss = batch.loss(model, old_logprobs, reference_logprobs, settings) / sampled_tokens
            torch.autograd.backward(loss)
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(total)
    return losses


def attempt_rewards(attempt: PolicyAttempt, seed: int) -> list[float]:
    """Return the reward of each step of a reply, at least one; the last includes the answer's."""
    task, reply = attempt.task, attempt.parsed_reply
    graph = build_reasoning_graph(task, Random(f"{seed}/{task.key}"))  # noqa: S311
    extended_graph = with_moves(graph, [(visit.state, visit.move) for visit in reply.visits])
    moves = [(visit.state, visit.move.state) for visit in reply.visits]
    rewards = step_rewards(extended_graph, moves)
    rewards += [ILLEGAL_STEP_REWARD] * (reply.steps - len(rewards))
    rewards = rewards or [ILLEGAL_STEP_REWARD]
    rewards[-1] += RIGHT_ANSWER_REWARD if reply.solved else 0.0
    return rewards


def group_advantages(group: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the advantages of the steps of a group of replies, whose rewards are given: normalised
    rewards, summed from each step to the end."""
    rewards = [reward for steps in group for reward in steps]
    mean, deviation = fmean(rewards), pstdev(rewards) or 1.0
    mean_steps = fmean(map(len, group))
    advantages = []
    for steps in group:
        total, sums = 0.0, list[float]()
        for reward in reversed(steps):
            total += (reward - mean) / deviation
            sums.append(total / mean_steps)
        advantages.append(sums[::-1])
    return advantages


def _batches(
    attempts: Sequence[PolicyAttempt], advantages: Sequence[Sequence[float]], encoder: Encoder
) -> "Iterator[_Batch]":
    """Yield batches of replies of similar length, which need little padding."""

    def length(index: int) -> int:
        return len(attempts[index].prompt + attempts[index].reply)

    order = sorted(range(len(attempts)), key=length)
    for start in range(0, len(order), REPLIES_PER_BATCH):
        indices = order[start : start + REPLIES_PER_BATCH]
        yield _Batch(
            [attempts[index] for index in indices],
            [advantages[index] for index in indices],
            encoder,
        )


class _Batch:
    """Padded prompts and replies, which of their tokens were sampled, and those tokens' advantages.

    `sampled_tokens` is the number of sampled tokens.
    """

    def __init__(
        self,
        attempts: Sequence[PolicyAttempt],
        advantages: Sequence[Sequence[float]],
        encoder: Encoder,
    ) -> None:
        rows = [(*attempt.prompt, *attempt.reply) for attempt in attempts]
        length = max(map(len, rows))
        self._tokens = torch.zeros(len(rows), length, dtype=torch.long)
        token_advantages = torch.zeros(len(rows), length)
        is_sampled = torch.zeros(len(rows), length, dtype=torch.bool)
        forced_tokens = _forced_tokens(encoder)
        step_start = encoder.control_ids["reasoning_step_start"]
        for index, (attempt, row) in enumerate(zip(attempts, rows, strict=True)):
            self._tokens[index, : len(row)] = torch.tensor(row)
            steps = advantages[index]
            step = -1
            for position, token in enumerate(attempt.reply, len(attempt.prompt)):
                step += token == step_start
                token_advantages[index, position] = steps[min(max(step, 0), len(steps) - 1)]
                is_sampled[index, position] = token not in forced_tokens
        self._is_sampled = is_sampled[:, 1:]
        self._advantages = token_advantages[:, 1:][self._is_sampled]
        self.sampled_tokens = len(self._advantages)

    def logprobs(self, model: Llama) -> Tensor:
        """Return the log-probabilities of the sampled tokens, (sampled tokens,)."""
        with torch.autocast("cpu", torch.bfloat16):
            logits = model.logits(model(self._tokens[:, :-1])[self._is_sampled])
        logprobs = fn.log_softmax(logits.float(), -1)
        targets = self._tokens[:, 1:][self._is_sampled]
        return logprobs.gather(-1, targets[:, None])[:, 0]

    def loss(
        self,
        model: Llama,
        old_logprobs: Tensor,
        reference_logprobs: Tensor,
        settings: GrpoSettings,
    ) -> Tensor:
        """Return the loss, summed over the sampled tokens."""
        logprobs = self.logprobs(model)
        ratio = (logprobs - old_logprobs).exp()
        clipped_ratio = ratio.clamp(1 - settings.clip, 1 + settings.clip)
        gain = torch.minimum(ratio * self._advantages, clipped_ratio * self._advantages)
        log_ratio = reference_logprobs - logprobs
        divergence = log_ratio.exp() - log_ratio - 1  # unbiased and not negative (Schulman 2020)
        return (settings.penalty * divergence - gain).sum()


def _forced_tokens(encoder: Encoder) -> set[int]:
    """Return the control tokens that the controller forces."""
    return {
        token
        for name, token in encoder.control_ids.items()
        if name.endswith("_start") or name == "reasoning_step_end"
    }
