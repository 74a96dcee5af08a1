"""A value model at work: a format bound to a model, read through the engine."""

import asyncio
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reasoner.engine.engine import Engine
from reasoner.errors import ModelError
from reasoner.models.format import Aggregation, ValueFormat
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.value.doubts import FEATURES, StepReader
from reasoner.value.layout import lay_out
from reasoner.value.scorer import Scorer
from reasoner.value.sheet import Sheet

if TYPE_CHECKING:
    from reasoner.value.head import Head

__all__ = ["DoubtScorer", "ModelScorer", "ValueModel"]


class ValueModel:
    """A loaded model with a way to ask it; every question gets a scorer of its own.

    Constructing one trusts that the format suits the model; `reasoner.value.trial` finds out.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        form: ValueFormat,
        head: "Head | None" = None,
        *,
        writes: bool = False,
    ) -> None:
        """`writes` tells that this very model writes the paths it scores. Raises ModelError when
        the vocabulary, the chat template or the head do not fit."""
        self.name, self.form, self.engine = name, form, engine
        self.aggregation: Aggregation = (
            head.aggregation if head and head.aggregation else (form.aggregation)
        )
        self.layout = lay_out(form, engine)
        self.head, self.writes = head, writes
        if form.has_head:
            _check_head(form, engine, head)
        else:
            self._good, self._bad = answer_tokens(form, engine)

    def scorer(self) -> Scorer:
        return DoubtScorer(self) if self.form.own_head else ModelScorer(self)

    async def read(
        self, tokens: Sequence[int], positions: Sequence[int]
    ) -> tuple[list[float], int]:
        """The scores that stand at `positions`, and how many tokens had to be decoded."""
        decoded: list[int] = []
        if self.head is not None:
            states = await self.engine.hidden(tokens, positions, decoded.append)
            return self.head.scores(states), sum(decoded)
        targets = [(*self._good, *self._bad)] * len(positions)
        rows = await self.engine.score(tokens, positions, targets, decoded.append)
        return [share(row, len(self._good)) for row in rows], sum(decoded)


class ModelScorer:
    """See `Scorer`. Remembers every score by the tokens it depends on."""

    def __init__(self, model: ValueModel) -> None:
        self._model = model
        self.name, self.aggregation = model.name, model.aggregation
        self._known: dict[tuple[int, ...], float] = {}
        self._tokens = 0

    @property
    def tokens(self) -> int:
        return self._tokens

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        sheet = self._model.layout.sheet(problem, path)
        new = [i for i in range(len(sheet.ends)) if sheet.prefix(i) not in self._known]
        await self._read(sheet, new)
        return tuple(self._known[sheet.prefix(i)] for i in range(len(sheet.ends)))

    async def _read(self, sheet: Sheet, steps: list[int]) -> None:
        readings = sheet.readings(steps)
        results = await asyncio.gather(*(self._model.read(*reading) for reading in readings))
        self._tokens += sum(decoded for _, decoded in results)
        scores = [score for found, _ in results for score in found]
        for step, score in zip(steps, scores, strict=True):
            self._known[sheet.prefix(step)] = score


class DoubtScorer:
    """See `Scorer`. Scores each step by what the model doubted when it wrote it, which costs
    nothing; only a path that something else wrote is read."""

    def __init__(self, model: ValueModel) -> None:
        assert model.head is not None
        self._model, self._head = model, model.head
        self.name, self.aggregation = model.name, model.aggregation
        self._reader = StepReader(model.engine)
        self._known: dict[tuple[int, ...], float] = {}
        self._decoded: list[int] = []

    @property
    def tokens(self) -> int:
        return sum(self._decoded)

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        sheet = self._model.layout.sheet(problem, path)
        steps = range(len(sheet.ends))
        if new := [i for i in steps if sheet.prefix(i) not in self._known]:
            begin, end = len(path.prompt), len(sheet.tokens)
            told = path.doubts if self._model.writes else ()
            rows = await self._reader.read(
                path.prompt,
                sheet.tokens[begin:],
                [place - begin for place in sheet.ends],
                new[0],
                doubts=told[: end - begin] if len(told) == len(path.tokens) else (),
                on_decoded=self._decoded.append,
            )
            scores = self._head.scores(rows)
            self._known |= {sheet.prefix(i): scores[i - new[0]] for i in new}
        return tuple(self._known[sheet.prefix(i)] for i in steps)


def share(logprobs: Sequence[float], good: int) -> float:
    """The probability of the first `good` tokens among all of those given."""
    top = max(logprobs)
    weights = [math.exp(logprob - top) for logprob in logprobs]
    return sum(weights[:good]) / sum(weights)


def answer_tokens(form: ValueFormat, engine: Engine) -> tuple[list[int], list[int]]:
    """The tokens that say good and bad: each word as one token, else the first of its tokens."""
    good, bad = (_spellings(words, engine) for words in (form.good, form.bad))
    if not good or not bad or set(good) & set(bad):
        raise ModelError(
            f"the model's vocabulary cannot tell {form.good[0]!r} from {form.bad[0]!r}, which the "
            f"format {form.name} needs; choose another --value-format"
        )
    return good, bad


def _spellings(words: Sequence[str], engine: Engine) -> list[int]:
    spelt = [engine.tokenize(word, False) for word in words]
    whole = {tokens[0] for tokens in spelt if len(tokens) == 1}
    return sorted(whole or {tokens[0] for tokens in spelt[:1] if tokens})


def _check_head(form: ValueFormat, engine: Engine, head: "Head | None") -> None:
    if head is None:
        raise ModelError(f"the format {form.name} needs a head: give its file with --value-head")
    width = len(FEATURES) if form.own_head else engine.n_embd
    if head.width != width:
        raise ModelError(
            f"the value head reads {head.width} numbers for a step, not {width}: it belongs to "
            "another model or version; train one anew or leave it out"
        )
