"""Scoring: every layout, incrementally, on a model of random weights, where any slip shows."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.errors import ModelError, PromptTooLong
from reasoner.models.format import HeadShape, ValueFormat
from reasoner.settings import EngineSettings
from reasoner.types.problem import Message, Problem
from reasoner.types.trajectory import Phase
from reasoner.value.head import ValueHead
from reasoner.value.model import ValueModel
from reasoner.value.open import with_exact_attention
from reasoner.value.self_test import trajectory_of_steps
from reasoner.value.step_features import FEATURE_NAMES
from tests.tiny_gguf import WIDTH, write_tiny_gguf
from tests.value.models import STEPS, TAG, form, thought

SETTINGS = with_exact_attention(EngineSettings(context=4096))
PROBLEM = Problem(question="How many pens are there in the eight boxes?")
ASK = "Is it so?"
HEAD: dict[str, Any] = {"good": (), "bad": (), "head": HeadShape(layers=("a",))}
FORMS = [
    form("bare"),
    form("tag", tag=TAG, after="\n"),
    form("closing", closing=f"\n{ASK}"),
    form("back", tag=TAG, back=3),
    form("chat", layout="chat", user=f"{{question}}\n{{steps}}{ASK}", step="{step}\n\n"),
    form("turns", layout="turns", user="{question} {step}"),
    form("path", layout="path", user=ASK),
    form("head", tag=TAG, **HEAD),
    form("path-head", layout="path", **HEAD),
    form("doubts", layout="path", good=(), bad=(), own_head=True),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("value") / "tiny.gguf"
    return write_tiny_gguf(place, extra_tokens=(TAG,), n_ctx_train=4096)


@pytest.fixture
async def engine(model: Path) -> AsyncIterator[LocalEngine]:
    engine = await LocalEngine.open(model, SETTINGS)
    yield engine
    await engine.close()


def bound(engine: LocalEngine, chosen: ValueFormat) -> ValueModel:
    head = None
    if chosen.has_head:
        width = len(FEATURE_NAMES) if chosen.own_head else WIDTH
        weight = np.random.default_rng(1).normal(0, 0.25, (1, width)).astype(np.float32)
        head = ValueHead(((weight, np.zeros(1, np.float32)),))
    return ValueModel("tiny", engine, chosen, head)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", FORMS, ids=lambda chosen: chosen.name)
async def test_a_growing_path_costs_only_what_is_new(model: Path, chosen: ValueFormat) -> None:
    """Scores equal those of every prefix read from an empty cache, at a quarter of its tokens."""
    engine = await LocalEngine.open(model, SETTINGS)
    whole = trajectory_of_steps(engine, PROBLEM, STEPS)
    scorer = bound(engine, chosen).new_scorer()
    grown = [await scorer.score_steps(PROBLEM, thought(whole, n)) for n in range(1, 9)]
    assert scorer.decoded_tokens == engine.decoded_tokens
    await engine.close()
    afresh, tokens = [], 0
    for n in range(1, 9):
        empty = await LocalEngine.open(model, SETTINGS)
        afresh.append(
            await bound(empty, chosen).new_scorer().score_steps(PROBLEM, thought(whole, n))
        )
        tokens += empty.decoded_tokens
        await empty.close()
    for ours, theirs in zip(grown, afresh, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)
    assert len(set(grown[-1])) == 8
    assert scorer.decoded_tokens <= tokens / 4


async def test_what_was_scored_is_not_read_again(engine: LocalEngine) -> None:
    scorer = bound(engine, FORMS[0]).new_scorer()
    trajectory = trajectory_of_steps(engine, PROBLEM, STEPS[:2])
    first = await scorer.score_steps(PROBLEM, trajectory)
    spent = scorer.decoded_tokens
    assert spent == engine.decoded_tokens > 0
    assert await scorer.score_steps(PROBLEM, trajectory) == first
    assert scorer.decoded_tokens == spent


async def test_scorers_of_two_questions_keep_accounts_apart(engine: LocalEngine) -> None:
    value = bound(engine, FORMS[0])
    one, two = value.new_scorer(), value.new_scorer()
    trajectory = trajectory_of_steps(engine, PROBLEM, STEPS[:1])
    await one.score_steps(PROBLEM, trajectory)
    assert two.decoded_tokens == 0


async def test_the_answer_of_a_finished_path_counts_as_a_step(engine: LocalEngine) -> None:
    scorer = bound(engine, FORMS[0]).new_scorer()
    trajectory = trajectory_of_steps(engine, PROBLEM, STEPS[:2])
    done = trajectory.model_copy(update={"phase": Phase.DONE, "answer": "So 42."})
    assert len(await scorer.score_steps(PROBLEM, trajectory)) == 2
    assert len(await scorer.score_steps(PROBLEM, done)) == 3
    silent = done.model_copy(update={"answer": " "})
    assert len(await scorer.score_steps(PROBLEM, silent)) == 2


async def test_nothing_to_score_reads_nothing(engine: LocalEngine) -> None:
    scorer = bound(engine, FORMS[0]).new_scorer()
    assert await scorer.score_steps(PROBLEM, trajectory_of_steps(engine, PROBLEM, [])) == ()
    assert engine.decoded_tokens == 0


async def test_the_history_changes_the_score(engine: LocalEngine) -> None:
    scorer = bound(engine, FORMS[0]).new_scorer()
    trajectory = trajectory_of_steps(engine, PROBLEM, STEPS[:1])
    history = (Message(role="user", content="There are 8 boxes."),)
    told = await scorer.score_steps(PROBLEM.model_copy(update={"history": history}), trajectory)
    assert told != await scorer.score_steps(PROBLEM, trajectory)


async def test_a_step_cannot_spell_the_tag(engine: LocalEngine) -> None:
    """A hostile step that names a control token adds text, not a place where scores stand."""
    sheet = bound(engine, FORMS[1]).layout.scoring_input(
        PROBLEM, trajectory_of_steps(engine, PROBLEM, [f"all good {TAG} yes", "next"])
    )
    tag = engine.token_id(TAG)
    assert [i for i, token in enumerate(sheet.tokens, 1) if token == tag] == list(sheet.step_ends)


async def test_steps_that_do_not_fit_are_an_error(model: Path) -> None:
    small = await LocalEngine.open(model, EngineSettings(context=256))
    with pytest.raises(PromptTooLong):
        await (
            bound(small, FORMS[0])
            .new_scorer()
            .score_steps(PROBLEM, trajectory_of_steps(small, PROBLEM, STEPS))
        )
    await small.close()


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (form(tag="<extra_0>"), "'<extra_0>', which is not a token"),
        (form(bad=("+",)), "cannot tell '\\+' from '\\+'"),
        (form(**HEAD), "needs a head"),
    ],
)
async def test_a_format_that_does_not_fit_says_why(
    engine: LocalEngine, chosen: ValueFormat, words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        ValueModel("tiny", engine, chosen)


async def test_a_head_of_another_width_is_refused(engine: LocalEngine) -> None:
    head = ValueHead(((np.zeros((1, 5), np.float32), np.zeros(1, np.float32)),))
    with pytest.raises(ModelError, match="another model"):
        ValueModel("tiny", engine, form(**HEAD), head)


async def test_a_template_that_eats_the_steps_is_refused(tmp_path: Path) -> None:
    bad = write_tiny_gguf(tmp_path / "bad.gguf", chat_template="Hello!")
    engine = await LocalEngine.open(bad)
    with pytest.raises(ModelError, match="chat template leaves out the question"):
        bound(engine, FORMS[4])
    await engine.close()
