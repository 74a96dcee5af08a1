"""DRY sampling: a sequence that was written before is left, also by a greedy model."""

from collections.abc import Sequence
from pathlib import Path

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.settings import EngineSettings
from tests.scripted_gguf import write_scripted_gguf

WORDS = ["We ", "add ", "one ", "and ", "check ", "it ", "again, "]
ROUNDS = 6


async def _write(model: Path, sampling: Sampling, prompt: str = "Go.\n") -> str:
    engine = await LocalEngine.open(model, EngineSettings(context=512))
    try:
        tokens = engine.tokenize(prompt)
        generation = engine.generate(tokens, sampling, max_tokens=ROUNDS * len(WORDS))
        return engine.detokenize([token.id async for token in generation])
    finally:
        await engine.close()


def _model(folder: Path, words: Sequence[str] = WORDS) -> Path:
    return write_scripted_gguf(folder / "loop.gguf", words, loop=True)


async def test_a_model_that_loops_leaves_its_loop(tmp_path: Path) -> None:
    model = _model(tmp_path)
    assert await _write(model, Sampling(temperature=0.0)) == "".join(WORDS) * ROUNDS
    strong = Sampling(temperature=0.0, dry_multiplier=4.0)
    text = await _write(model, strong)
    assert text.startswith("".join(WORDS))
    assert "".join(WORDS) * 3 not in text


async def test_what_is_allowed_and_how_far_back_is_looked_are_kept_to(tmp_path: Path) -> None:
    model, loop = _model(tmp_path), "".join(WORDS) * ROUNDS
    tolerant = Sampling(temperature=0.0, dry_multiplier=4.0, dry_allowed_length=500)
    assert await _write(model, tolerant) == loop
    blind = Sampling(temperature=0.0, dry_multiplier=4.0, dry_penalty_last_n=len(WORDS) - 1)
    assert await _write(model, blind) == loop


async def test_a_breaker_in_every_word_leaves_nothing_to_penalise(tmp_path: Path) -> None:
    words = [f"{word.strip()}\n" for word in WORDS]
    model = _model(tmp_path, words)
    assert await _write(model, Sampling(temperature=0.0, dry_multiplier=4.0)) == "".join(words) * 6
