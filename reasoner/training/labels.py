"""Monte-Carlo labels of steps, as in Math-Shepherd (Wang et al. 2024).

Continuations are sampled from the end of each step of the policy's replies, and the step's value is
the share of them that are right. The continuations are kept, too: their own steps have the value 1
or 0 by their outcome.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from reasoner.datagen.puzzles.follow import parse_reply
from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.run import MODEL_FILE, TrainingRun
from reasoner.training.sampler import ReplySampler, ReplySampling
from reasoner.training.trials import REPLIES_PER_BATCH, PolicyAttempt, attempt_puzzles

__all__ = ["Continuation", "LabelledReply", "write_labelled_replies"]

MAX_CONTINUATION_STEPS = 4
"""Steps that a continuation may add, so that a value is about nearby answers."""


class Continuation(BaseModel):
    """The tokens of a reply, and the values of its steps and of the answer, if it has one."""

    model_config = ConfigDict(frozen=True)

    tokens: tuple[int, ...]
    values: tuple[float, ...]


class LabelledReply(BaseModel):
    """A reply to a question, and the continuations of its prefixes, each with the prefix."""

    model_config = ConfigDict(frozen=True)

    question: str
    reply: Continuation
    others: tuple[Continuation, ...] = ()


@dataclass(frozen=True)
class _Prefix:
    """A reply up to the end of a step, without the decision."""

    attempt: PolicyAttempt
    step: int
    tokens: tuple[int, ...]


_Outcome = tuple[list[int], bool]
"""The tokens of a continued reply, with those of the prefix, and whether it is right."""
_OutcomesOfStep = dict[tuple[int, int], list[_Outcome]]
"""The outcomes by the `id` of the attempt and the number of the step."""


def write_labelled_replies(
    folder: Path,
    out: Path,
    recipe: PathDataRecipe,
    excluded: frozenset[str],
    continuations: int,
    on_batch: Callable[[int], None],
) -> None:
    """Append a labelled reply to each problem that `out` does not have yet.

    `on_batch` is called with the number of replies in the file. Raises UsageError when `folder` has
    no trained policy.
    """
    run = TrainingRun(folder)
    model = create_model(run, run.require_checkpoint())
    count = out.read_bytes().count(b"\n") if out.exists() else 0
    with Encoder(folder / MODEL_FILE) as encoder, out.open("a", encoding="utf-8") as file:
        while count < recipe.problems:
            numbers = range(count, min(count + REPLIES_PER_BATCH, recipe.problems))
            tasks = [recipe.sample_task(number, excluded) for number in numbers]
            sampling = ReplySampling(
                temperature=1.0, max_steps=8, max_tokens=512, seed=recipe.seed + count
            )
            attempts = attempt_puzzles(model, encoder, tasks, sampling)
            sampler = ReplySampler(model, encoder)
            for reply in _labelled_replies(attempts, sampler, encoder, continuations, sampling):
                file.write(f"{reply.model_dump_json()}\n")
            file.flush()
            count += len(attempts)
            on_batch(count)


def _labelled_replies(
    attempts: Sequence[PolicyAttempt],
    sampler: ReplySampler,
    encoder: Encoder,
    continuations: int,
    sampling: ReplySampling,
) -> Iterator[LabelledReply]:
    prefixes = [prefix for attempt in attempts for prefix in _prefixes(attempt, encoder)]
    prefixes.sort(key=lambda prefix: len(prefix.attempt.prompt) + len(prefix.tokens))
    outcomes: _OutcomesOfStep = {}
    batch_size = REPLIES_PER_BATCH // continuations
    for start in range(0, len(prefixes), batch_size):
        batch = prefixes[start : start + batch_size]
        repeated = [prefix for prefix in batch for _ in range(continuations)]
        steps = max(prefix.step for prefix in batch) + 1 + MAX_CONTINUATION_STEPS
        replies = sampler.sample_replies(
            [prefix.attempt.prompt for prefix in repeated],
            replace(sampling, max_steps=steps, max_tokens=256, seed=sampling.seed + start),
            [prefix.tokens for prefix in repeated],
        )
        for prefix, reply in zip(repeated, replies, strict=True):
            right = parse_reply(prefix.attempt.task, encoder.decode(reply)).solved
            key = (id(prefix.attempt), prefix.step)
            outcomes.setdefault(key, []).append((reply, right))
    for attempt in attempts:
        steps = attempt.reply.count(encoder.control_ids["reasoning_step_end"])
        step_outcomes = [outcomes[id(attempt), step] for step in range(steps)]
        yield _labelled_reply(attempt, step_outcomes, encoder)


def _prefixes(attempt: PolicyAttempt, encoder: Encoder) -> Iterator[_Prefix]:
    """Yield the reply's prefixes up to the end of each step."""
    step_end = encoder.control_ids["reasoning_step_end"]
    ends = [index for index, token in enumerate(attempt.reply) if token == step_end]
    for step, end in enumerate(ends):
        yield _Prefix(attempt, step, attempt.reply[: end + 1])


def _labelled_reply(
    attempt: PolicyAttempt, step_outcomes: Sequence[Sequence[_Outcome]], encoder: Encoder
) -> LabelledReply:
    """Return the reply with its values; `step_outcomes` are the outcomes after each step."""
    values = [fmean(right for _, right in outcomes) for outcomes in step_outcomes]
    others = [
        _continuation(tokens, values[: step + 1], right, encoder)
        for step, outcomes in enumerate(step_outcomes)
        for tokens, right in outcomes
    ]
    reply = _continuation(attempt.reply, values, attempt.parsed_reply.solved, encoder)
    return LabelledReply(question=attempt.task.question, reply=reply, others=tuple(others))


def _continuation(
    tokens: Sequence[int], first_values: Sequence[float], right: bool, encoder: Encoder
) -> Continuation:
    """Return a reply whose first steps have the given values, the others that of the outcome."""
    count = tokens.count(encoder.control_ids["reasoning_step_end"])
    count += encoder.control_ids["reasoning_end"] in tokens
    values = [*first_values, *[float(right)] * (count - len(first_values))]
    return Continuation(tokens=tuple(tokens), values=tuple(values))
