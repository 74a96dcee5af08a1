"""Monte-Carlo labels for steps, as Math-Shepherd makes them (Wang et al. 2024): from after each
step of the policy's own replies it goes on several times, and the step is worth the share that
ends right. The ways on are kept, too: a step of theirs is worth what its one end was."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from reasoner.datagen.puzzles.follow import parse_reply
from reasoner.datagen.puzzles.stream import PathDataRecipe
from reasoner.errors import UsageError
from reasoner.training.encoder import Encoder
from reasoner.training.fit import create_model
from reasoner.training.run import MODEL_FILE, TrainingRun
from reasoner.training.sampler import ReplySampler, ReplySampling
from reasoner.training.trials import REPLIES_PER_BATCH, PolicyAttempt, attempt_puzzles

__all__ = ["Continuation", "LabelledReply", "write_labelled_replies"]

MAX_CONTINUATION_STEPS = 4
"""Steps a continuation may add: a value says what is near, not what a long search would find."""


class Continuation(BaseModel):
    """A reply's tokens, and what each of its steps is worth, and the answer where it has one."""

    model_config = ConfigDict(frozen=True)

    tokens: tuple[int, ...]
    values: tuple[float, ...]


class LabelledReply(BaseModel):
    """A reply to a question, and what else came of going on from its steps."""

    model_config = ConfigDict(frozen=True)

    question: str
    reply: Continuation
    others: tuple[Continuation, ...] = ()


@dataclass(frozen=True)
class _Prefix:
    trial: PolicyAttempt
    step: int
    tokens: tuple[int, ...]


_End = tuple[list[int], bool]
"""A reply that went on from a prefix, whole, and whether it ended right."""


def write_labelled_replies(
    folder: Path,
    out: Path,
    recipe: PathDataRecipe,
    excluded: frozenset[str],
    continuations: int,
    on_batch: Callable[[int], None],
) -> None:
    """Append the labelled replies to the problems that `out` does not hold yet. Raises UsageError
    when `folder` holds no trained policy."""
    run = TrainingRun(folder)
    state = run.load_checkpoint()
    if state is None:
        raise UsageError(f"{folder} has no trained policy yet; run `reasoner train policy` first")
    model = create_model(run, state)
    done = out.read_bytes().count(b"\n") if out.exists() else 0
    with Encoder(folder / MODEL_FILE) as encoder, out.open("a", encoding="utf-8") as file:
        while done < recipe.problems:
            numbers = range(done, min(done + REPLIES_PER_BATCH, recipe.problems))
            tasks = [recipe.sample_task(number, excluded) for number in numbers]
            how = ReplySampling(
                temperature=1.0, max_steps=8, max_tokens=512, seed=recipe.seed + done
            )
            trials = attempt_puzzles(model, encoder, tasks, how)
            sampler = ReplySampler(model, encoder)
            for line in _labelled(trials, sampler, encoder, continuations, how):
                file.write(f"{line.model_dump_json()}\n")
            file.flush()
            done += len(trials)
            on_batch(done)


def _labelled(
    trials: Sequence[PolicyAttempt],
    sampler: ReplySampler,
    encoder: Encoder,
    count: int,
    how: ReplySampling,
) -> Iterator[LabelledReply]:
    prefixes = [prefix for trial in trials for prefix in _prefixes(trial, encoder)]
    prefixes.sort(key=lambda prefix: len(prefix.trial.prompt) + len(prefix.tokens))
    ends: dict[tuple[int, int], list[_End]] = {}
    for start in range(0, len(prefixes), REPLIES_PER_BATCH // count):
        chosen = prefixes[start : start + REPLIES_PER_BATCH // count]
        repeated = [prefix for prefix in chosen for _ in range(count)]
        steps = max(prefix.step for prefix in chosen) + 1 + MAX_CONTINUATION_STEPS
        drawn = sampler.sample_replies(
            [prefix.trial.prompt for prefix in repeated],
            replace(how, max_steps=steps, max_tokens=256, seed=how.seed + start),
            [prefix.tokens for prefix in repeated],
        )
        for prefix, reply in zip(repeated, drawn, strict=True):
            right = parse_reply(prefix.trial.task, encoder.decode(reply)).solved
            ends.setdefault((id(prefix.trial), prefix.step), []).append((reply, right))
    for trial in trials:
        count = trial.reply.count(encoder.control_ids["reasoning_step_end"])
        yield _line(trial, [ends[id(trial), step] for step in range(count)], encoder)


def _prefixes(trial: PolicyAttempt, encoder: Encoder) -> Iterator[_Prefix]:
    """The reply up to the end of each step, decision not included."""
    ends = [i for i, t in enumerate(trial.reply) if t == encoder.control_ids["reasoning_step_end"]]
    for step, end in enumerate(ends):
        yield _Prefix(trial, step, trial.reply[: end + 1])


def _line(trial: PolicyAttempt, ends: Sequence[Sequence[_End]], encoder: Encoder) -> LabelledReply:
    """`ends` are the ways on from each step."""
    worth = [fmean(right for _, right in ways) for ways in ends]
    others = [
        _way(tokens, worth[: step + 1], right, encoder)
        for step, ways in enumerate(ends)
        for tokens, right in ways
    ]
    reply = _way(trial.reply, worth, trial.parsed_reply.solved, encoder)
    return LabelledReply(question=trial.task.question, reply=reply, others=tuple(others))


def _way(
    tokens: Sequence[int], worth: Sequence[float], right: bool, encoder: Encoder
) -> Continuation:
    """A reply whose first steps are worth that much; how it ended tells what the others are."""
    places = tokens.count(encoder.control_ids["reasoning_step_end"])
    places += encoder.control_ids["reasoning_end"] in tokens
    values = [*worth, *[float(right)] * (places - len(worth))]
    return Continuation(tokens=tuple(tokens), values=tuple(values))
