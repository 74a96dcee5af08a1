"""What a policy does by itself on fresh problems: replies in batches, followed and judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reasoner.datagen.puzzles.follow import ParsedReply, parse_reply
from reasoner.datagen.puzzles.task import PuzzleTask
from reasoner.training.encoder import Encoder
from reasoner.training.llama import Llama
from reasoner.training.sampler import ReplySampler, ReplySampling

__all__ = ["PolicyAttempt", "attempt_puzzles"]

REPLIES_PER_BATCH = 192
"""Replies in one batch; the cache of each is as long as the longest may be."""


@dataclass(frozen=True)
class PolicyAttempt:
    """One reply to one problem."""

    task: PuzzleTask
    prompt: tuple[int, ...]
    reply: tuple[int, ...]
    parsed_reply: ParsedReply


def attempt_puzzles(
    model: Llama, encoder: Encoder, tasks: Sequence[PuzzleTask], sampling: ReplySampling
) -> list[PolicyAttempt]:
    """One reply for each problem; a problem may stand there more than once."""
    sampler, found = ReplySampler(model, encoder), list[PolicyAttempt]()
    prompts = [encoder.encode_prompt(task.question) for task in tasks]
    order = sorted(range(len(tasks)), key=lambda i: (len(prompts[i]), i))
    replies: dict[int, list[int]] = {}
    for start in range(0, len(order), REPLIES_PER_BATCH):
        chosen = order[start : start + REPLIES_PER_BATCH]
        drawn = sampler.sample_replies(
            [prompts[i] for i in chosen], replace(sampling, seed=sampling.seed + start)
        )
        replies |= dict(zip(chosen, drawn, strict=True))
    for index, task in enumerate(tasks):
        text = encoder.decode(replies[index])
        found.append(
            PolicyAttempt(
                task, tuple(prompts[index]), tuple(replies[index]), parse_reply(task, text)
            )
        )
    return found
