"""A policy's replies to puzzles, sampled in batches and parsed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reasoner.datagen.puzzles.follow import ParsedReply, parse_reply
from reasoner.datagen.puzzles.task import PuzzleTask
from reasoner.training.encoder import Encoder
from reasoner.training.llama import Llama
from reasoner.training.sampler import ReplySampler, ReplySampling

__all__ = ["PolicyAttempt", "attempt_puzzles"]

REPLIES_PER_BATCH = 192
"""Replies sampled at once; each needs a cache for the longest that may occur."""


@dataclass(frozen=True)
class PolicyAttempt:
    """One reply to one puzzle: the tokens of prompt and reply, and the parsed reply."""

    task: PuzzleTask
    prompt: tuple[int, ...]
    reply: tuple[int, ...]
    parsed_reply: ParsedReply


def attempt_puzzles(
    model: Llama, encoder: Encoder, tasks: Sequence[PuzzleTask], sampling: ReplySampling
) -> list[PolicyAttempt]:
    """Sample one reply for each task; a task may occur several times."""
    sampler = ReplySampler(model, encoder)
    prompts = [encoder.encode_prompt(task.question) for task in tasks]
    order = sorted(range(len(tasks)), key=lambda index: (len(prompts[index]), index))
    replies: dict[int, list[int]] = {}
    for start in range(0, len(order), REPLIES_PER_BATCH):
        indices = order[start : start + REPLIES_PER_BATCH]
        batch_sampling = replace(sampling, seed=sampling.seed + start)
        batch = sampler.sample_replies([prompts[index] for index in indices], batch_sampling)
        replies |= dict(zip(indices, batch, strict=True))
    return [
        PolicyAttempt(
            task,
            tuple(prompts[index]),
            tuple(replies[index]),
            parse_reply(task, encoder.decode(replies[index])),
        )
        for index, task in enumerate(tasks)
    ]
