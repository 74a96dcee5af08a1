"""Value models: a value format bound to a model, whose scores are read through an engine."""

import asyncio
from collections.abc import Sequence

from reasoner.engine.interface import Engine
from reasoner.engine.softmax import leading_share
from reasoner.errors import ModelError
from reasoner.models.format import Aggregation, ValueFormat
from reasoner.types.problem import Problem
from reasoner.types.trajectory import Trajectory
from reasoner.value.head import ValueHead
from reasoner.value.layout import bind_format
from reasoner.value.scorer import StepScorer
from reasoner.value.scoring_input import ScoringInput
from reasoner.value.step_features import FEATURE_NAMES, StepFeatureExtractor

__all__ = ["OutputScorer", "StatisticsScorer", "ValueModel"]


class ValueModel:
    """An open model with a value format, and a scorer for each question.

    The constructor does not test whether the model's scores mean anything under this format; the
    self-test (`reasoner.value.self_test`) does.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        value_format: ValueFormat,
        head: ValueHead | None = None,
        *,
        is_policy: bool = False,
    ) -> None:
        """`is_policy` states that this model also generates the trajectories it scores.

        Raises ModelError when the vocabulary, the chat template or the head does not fit.
        """
        self.name, self.value_format, self.engine = name, value_format, engine
        self.aggregation: Aggregation = (
            head.aggregation if head and head.aggregation else value_format.aggregation
        )
        self.layout = bind_format(value_format, engine)
        self.head, self.is_policy = head, is_policy
        if value_format.has_head:
            _check_head(value_format, engine, head)
        else:
            self._good, self._bad = _answer_tokens(value_format, engine)

    def new_scorer(self) -> StepScorer:
        """A scorer for one question."""
        return StatisticsScorer(self) if self.value_format.own_head else OutputScorer(self)

    async def read_scores(
        self, tokens: Sequence[int], positions: Sequence[int]
    ) -> tuple[list[float], int]:
        """The scores at `positions` of the tokens, and the number of tokens that were decoded."""
        decoded: list[int] = []
        if self.head is not None:
            states = await self.engine.hidden_states(tokens, positions, decoded.append)
            return self.head.scores(states), sum(decoded)
        targets = [(*self._good, *self._bad)] * len(positions)
        rows = await self.engine.token_logprobs(tokens, positions, targets, decoded.append)
        return [leading_share(row, len(self._good)) for row in rows], sum(decoded)


class OutputScorer:
    """Scores steps by a model's output tokens or hidden states; see `StepScorer`.

    Every score is kept under the tokens that it depends on.
    """

    def __init__(self, model: ValueModel) -> None:
        self._model = model
        self.name, self.aggregation = model.name, model.aggregation
        self._scores: dict[tuple[int, ...], float] = {}
        self._tokens = 0

    @property
    def decoded_tokens(self) -> int:
        """Tokens decoded for scoring so far."""
        return self._tokens

    async def score_steps(self, problem: Problem, trajectory: Trajectory) -> tuple[float, ...]:
        """See `StepScorer.score_steps`."""
        scoring_input = self._model.layout.scoring_input(problem, trajectory)
        unscored = [
            i
            for i in range(len(scoring_input.step_ends))
            if scoring_input.step_prefix(i) not in self._scores
        ]
        await self._score_steps(scoring_input, unscored)
        return tuple(
            self._scores[scoring_input.step_prefix(i)] for i in range(len(scoring_input.step_ends))
        )

    async def _score_steps(self, scoring_input: ScoringInput, steps: list[int]) -> None:
        sequences = scoring_input.scoring_sequences(steps)
        results = await asyncio.gather(
            *(self._model.read_scores(*sequence) for sequence in sequences)
        )
        self._tokens += sum(decoded for _, decoded in results)
        scores = [score for row, _ in results for score in row]
        for step, score in zip(steps, scores, strict=True):
            self._scores[scoring_input.step_prefix(step)] = score


class StatisticsScorer:
    """Scores steps by a value head on token statistics; see `StepScorer`.

    The statistics are known from the generation of the steps, so that only trajectories of another
    model have to be prefilled.
    """

    def __init__(self, model: ValueModel) -> None:
        assert model.head is not None
        self._model, self._head = model, model.head
        self.name, self.aggregation = model.name, model.aggregation
        self._reader = StepFeatureExtractor(model.engine)
        self._scores: dict[tuple[int, ...], float] = {}
        self._decoded: list[int] = []

    @property
    def decoded_tokens(self) -> int:
        """Tokens decoded for scoring so far."""
        return sum(self._decoded)

    async def score_steps(self, problem: Problem, trajectory: Trajectory) -> tuple[float, ...]:
        """See `StepScorer.score_steps`."""
        scoring_input = self._model.layout.scoring_input(problem, trajectory)
        steps = range(len(scoring_input.step_ends))
        if unscored := [i for i in steps if scoring_input.step_prefix(i) not in self._scores]:
            begin, end = len(trajectory.prompt), len(scoring_input.tokens)
            statistics = trajectory.token_statistics if self._model.is_policy else ()
            rows = await self._reader.extract_features(
                trajectory.prompt,
                scoring_input.tokens[begin:],
                [step_end - begin for step_end in scoring_input.step_ends],
                unscored[0],
                statistics=statistics[: end - begin]
                if len(statistics) == len(trajectory.tokens)
                else (),
                on_decoded=self._decoded.append,
            )
            scores = self._head.scores(rows)
            self._scores |= {
                scoring_input.step_prefix(i): scores[i - unscored[0]] for i in unscored
            }
        return tuple(self._scores[scoring_input.step_prefix(i)] for i in steps)


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
    """The words' tokens as they stand at the beginning of a text, where formats have them."""
    tokenised = [
        [token for token in engine.tokenize_prompt([word]) if token != engine.bos] for word in words
    ]
    single_tokens = {tokens[0] for tokens in tokenised if len(tokens) == 1}
    return sorted(single_tokens or {tokens[0] for tokens in tokenised[:1] if tokens})


def _check_head(form: ValueFormat, engine: Engine, head: ValueHead | None) -> None:
    if head is None:
        raise ModelError(f"the format {form.name} needs a head: give its file with --value-head")
    width = len(FEATURE_NAMES) if form.own_head else engine.n_embd
    if head.input_size != width:
        raise ModelError(
            f"the value head reads {head.input_size} numbers for a step, not {width}: it belongs "
            "to another model or version; train one anew or leave it out"
        )
