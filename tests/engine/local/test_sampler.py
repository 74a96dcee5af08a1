"""Drawing a token: short cuts change nothing about the outcome."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reasoner.engine.constraints import FREE
from reasoner.engine.local.context import LlamaContext
from reasoner.engine.local.sampler import TokenSampler, log_sum_exp
from reasoner.engine.local.sampler_chain import build_chain
from reasoner.engine.sampling import Sampling
from reasoner.errors import EngineError
from reasoner.settings import EngineSettings

LAST = 3


@pytest.fixture(scope="module")
def context(smollm2: Path) -> Iterator[LlamaContext]:
    """A context that has read one prompt; entry `LAST` of the batch has logits."""
    opened = LlamaContext(smollm2, EngineSettings(context=512), print)
    tokens = opened.vocabulary.tokenize("The capital of France is")[: LAST + 1]
    assert opened.decode([(token, i, 0, i == LAST) for i, token in enumerate(tokens)]) == 0
    yield opened
    opened.close()
    opened.free_model()


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=3.0, top_p=1.0, min_p=0.0),
        Sampling(temperature=1.0, top_k=3),
        Sampling(temperature=5.0, top_k=30_000, top_p=1.0, min_p=0.0),
        Sampling(temperature=1.0, top_k=0),
        Sampling(temperature=1.0, repeat_penalty=1.3),
        Sampling(temperature=1.0, dry_multiplier=0.8),
    ],
)
def test_a_draw_is_what_the_native_chain_draws_from_the_whole_row(
    context: LlamaContext, sampling: Sampling
) -> None:
    drawn, whole = [], []
    for seed in range(60):
        drawer = TokenSampler(context, sampling, seed, [])
        drawn.append(drawer.sample(LAST, FREE).id)
        drawer.close()
        chain = build_chain(sampling, seed, (), context.vocabulary)
        whole.append(context.sample(chain, LAST))
        context._lc.llama_sampler_free(chain)
    assert drawn == whole
    assert len(set(drawn)) > 1


def test_a_flat_row_is_left_to_the_native_chain(context: LlamaContext) -> None:
    drawer = TokenSampler(context, Sampling(), 0, [])
    flat = np.zeros(context.vocabulary.size, np.float32)
    assert len(drawer._top_candidates(flat)) == len(flat)
    one = np.full(context.vocabulary.size, -np.inf, np.float32)
    one[7] = 1.0
    assert drawer._top_candidates(one) is None
    drawer.close()


@pytest.mark.parametrize("shift", [0.0, 600.0, -600.0])
def test_log_sum_exp_at_any_height(shift: float) -> None:
    row = np.linspace(-9, 9, 1001, dtype=np.float32) + np.float32(shift)
    shares = np.exp(np.linspace(-9, 9, 1001))
    exact = shift + float(np.log(shares.sum()))
    shares /= shares.sum()
    total, entropy = log_sum_exp(row, np.empty_like(row))
    assert total == pytest.approx(exact, abs=1e-3)
    assert entropy == pytest.approx(-float(shares @ np.log(shares)), abs=1e-3)


def test_impossible_tokens_do_not_count_towards_the_entropy() -> None:
    row = np.array([1.0, -np.inf, 1.0, -np.inf], np.float32)
    assert log_sum_exp(row, np.empty_like(row)) == pytest.approx((1 + np.log(2), np.log(2)))
    sure = np.array([-np.inf, 700.0], np.float32)
    assert log_sum_exp(sure, np.empty_like(sure)) == pytest.approx((700.0, 0.0))


@pytest.mark.parametrize("bad", [-np.inf, np.nan, np.inf])
def test_a_row_without_a_finite_logit_is_an_error(bad: float) -> None:
    row = np.full(64, bad, np.float32)
    with pytest.raises(EngineError, match="no finite logits"):
        log_sum_exp(row, np.empty_like(row))
