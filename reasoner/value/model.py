"""Value models: a value format bound to a model, whose scores are read through an engine."""

import asyncio
from collections.abc import Sequence

from reasoner.engine.engine import Engine
from reasoner.engine.softmax import leading_share
from reasoner.errors import ModelError
from reasoner.models.format import Aggregation, ValueFormat
from reasoner.path import Path
from reasoner.problem import Problem
from reasoner.value.doubts import FEATURES, StepReader
from reasoner.value.head import Head
from reasoner.value.layout import lay_out
from reasoner.value.scorer import Scorer
from reasoner.value.sheet import Sheet

__all__ = ["DoubtScorer", "ModelScorer", "ValueModel"]


class ValueModel:
    """An open model with a value format, and a scorer for each question.

    The constructor does not test whether the model's scores mean anything under this format; the
    self-test (`reasoner.value.trial`) does.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        form: ValueFormat,
        head: Head | None = None,
        *,
        writes: bool = False,
    ) -> None:
        """`writes` states that this model also generates the trajectories it scores.

        Raises ModelError when the vocabulary, the chat template or the head does not fit.
        """
        self.name, self.form, self.engine = name, form, engine
        self.aggregation: Aggregation = (
            head.aggregation if head and head.aggregation else form.aggregation
        )
        self.layout = lay_out(form, engine)
        self.head, self.writes = head, writes
        if form.has_head:
            _check_head(form, engine, head)
        else:
            self._good, self._bad = _answer_tokens(form, engine)

    def scorer(self) -> Scorer:
        """A scorer for one question."""
        return DoubtScorer(self) if self.form.own_head else ModelScorer(self)

    async def read(
        self, tokens: Sequence[int], positions: Sequence[int]
    ) -> tuple[list[float], int]:
        """The scores at `positions` of the tokens, and the number of tokens that were decoded."""
        decoded: list[int] = []
        if self.head is not None:
            states = await self.engine.hidden(tokens, positions, decoded.append)
            return self.head.scores(states), sum(decoded)
        targets = [(*self._good, *self._bad)] * len(positions)
        rows = await self.engine.score(tokens, positions, targets, decoded.append)
        return [leading_share(row, len(self._good)) for row in rows], sum(decoded)


class ModelScorer:
    """Scores steps by a model's output tokens or hidden states; see `Scorer`.

    Every score is kept under the tokens that it depends on.
    """

    def __init__(self, model: ValueModel) -> None:
        self._model = model
        self.name, self.aggregation = model.name, model.aggregation
        self._scores: dict[tuple[int, ...], float] = {}
        self._tokens = 0

    @property
    def tokens(self) -> int:
        """Tokens decoded for scoring so far."""
        return self._tokens

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        """See `Scorer.score`."""
        sheet = self._model.layout.sheet(problem, path)
        unscored = [i for i in range(len(sheet.ends)) if sheet.prefix(i) not in self._scores]
        await self._score_steps(sheet, unscored)
        return tuple(self._scores[sheet.prefix(i)] for i in range(len(sheet.ends)))

    async def _score_steps(self, sheet: Sheet, steps: list[int]) -> None:
        readings = sheet.readings(steps)
        results = await asyncio.gather(*(self._model.read(*reading) for reading in readings))
        self._tokens += sum(decoded for _, decoded in results)
        scores = [score for row, _ in results for score in row]
        for step, score in zip(steps, scores, strict=True):
            self._scores[sheet.prefix(step)] = score


class DoubtScorer:
    """Scores steps by a value head on token statistics; see `Scorer`.

    The statistics are known from the generation of the steps, so that only trajectories of another
    model have to be prefilled.
    """

    def __init__(self, model: ValueModel) -> None:
        assert model.head is not None
        self._model, self._head = model, model.head
        self.name, self.aggregation = model.name, model.aggregation
        self._reader = StepReader(model.engine)
        self._scores: dict[tuple[int, ...], float] = {}
        self._decoded: list[int] = []

    @property
    def tokens(self) -> int:
        """Tokens decoded for scoring so far."""
        return sum(self._decoded)

    async def score(self, problem: Problem, path: Path) -> tuple[float, ...]:
        """See `Scorer.score`."""
        sheet = self._model.layout.sheet(problem, path)
        steps = range(len(sheet.ends))
        if unscored := [i for i in steps if sheet.prefix(i) not in self._scores]:
            begin, end = len(path.prompt), len(sheet.tokens)
            statistics = path.doubts if self._model.writes else ()
            rows = await self._reader.read(
                path.prompt,
                sheet.tokens[begin:],
                [step_end - begin for step_end in sheet.ends],
                unscored[0],
                doubts=statistics[: end - begin] if len(statistics) == len(path.tokens) else (),
                on_decoded=self._decoded.append,
            )
            scores = self._head.scores(rows)
            self._scores |= {sheet.prefix(i): scores[i - unscored[0]] for i in unscored}
        return tuple(self._scores[sheet.prefix(i)] for i in steps)


def _answer_tokens(form: ValueFormat, engine: Engine) -> tuple[list[int], list[int]]:
    """The tokens that stand for a right and a wrong step: words that are one token, else the first
    token of the first word. Raises ModelError when they cannot be told apart."""
    good, bad = (_word_tokens(words, engine) for words in (form.good, form.bad))
    if not good or not bad or set(good) & set(bad):
        raise ModelError(
            f"the model's vocabulary cannot tell {form.good[0]!r} from {form.bad[0]!r}, which the "
            f"format {form.name} needs; choose another --value-format"
        )
    return good, bad


def _word_tokens(words: Sequence[str], engine: Engine) -> list[int]:
    tokenised = [engine.tokenize(word, False) for word in words]
    single_tokens = {tokens[0] for tokens in tokenised if len(tokens) == 1}
    return sorted(single_tokens or {tokens[0] for tokens in tokenised[:1] if tokens})


def _check_head(form: ValueFormat, engine: Engine, head: Head | None) -> None:
    if head is None:
        raise ModelError(f"the format {form.name} needs a head: give its file with --value-head")
    width = len(FEATURES) if form.own_head else engine.n_embd
    if head.width != width:
        raise ModelError(
            f"the value head reads {head.width} numbers for a step, not {width}: it belongs to "
            "another model or version; train one anew or leave it out"
        )
