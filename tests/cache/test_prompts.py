"""Prompts that outlive the engine that read them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reasoner.cache.disk_cache import open_disk_cache
from reasoner.cache.prompts import open_prompt_cache
from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import GREEDY
from reasoner.settings import EngineSettings, Settings
from tests.tiny_gguf import write_tiny_gguf

LONG = "A long story that everybody wants to hear again, from its very beginning on. " * 8


@pytest.fixture
def model(own_directories: Path) -> Path:
    return write_tiny_gguf(own_directories / "tiny.gguf")


@asynccontextmanager
async def opened(model: Path, **engine: Any) -> AsyncIterator[LocalEngine]:
    chosen = EngineSettings(context=1024, sequences=4, **engine)
    settings = Settings.load(model=str(model), cache=True, engine=chosen)
    with open_prompt_cache(model, settings) as shelf:
        engine_ = await LocalEngine.open(model, chosen, prompt_store=shelf)
        try:
            yield engine_
        finally:
            await engine_.close()


async def written(engine: LocalEngine, prompt: str) -> tuple[list[int], int]:
    """What follows the prompt, and how many of the prompt's tokens had to be read."""
    generation = engine.generate(engine.tokenize(prompt), GREEDY, max_tokens=8)
    tokens = [token.id async for token in generation]
    return tokens, generation.decoded_tokens


async def test_a_second_engine_reads_only_what_is_new(model: Path) -> None:
    async with opened(model) as engine:
        first, read = await written(engine, LONG + "one")
        fresh, _ = await written(engine, LONG + "two!")
    assert read > 500
    async with opened(model) as engine:
        again, reread = await written(engine, LONG + "one")
        other, rest = await written(engine, LONG + "two!")
    assert (again, other) == (first, fresh)
    assert reread == 1
    assert rest <= 5


async def test_a_kept_prompt_serves_one_that_only_begins_like_it(model: Path) -> None:
    async with opened(model) as engine:
        expected, _ = await written(engine, LONG + "two!")
    open_disk_cache("prompts").clear()
    async with opened(model) as engine:
        await written(engine, LONG + "something else altogether")
    async with opened(model) as engine:
        found, read = await written(engine, LONG + "two!")
    assert found == expected
    assert read <= 5


@pytest.mark.parametrize("engine", [{"kv_type": "q8_0", "flash_attention": "on"}])
async def test_other_cells_are_another_key(model: Path, engine: dict[str, Any]) -> None:
    async with opened(model) as first:
        await written(first, LONG)
    async with opened(model, **engine) as second:
        _, read = await written(second, LONG)
    assert read > 500


async def test_a_damaged_file_is_dropped_and_the_prompt_read(model: Path) -> None:
    async with opened(model) as engine:
        first, _ = await written(engine, LONG)
    vault = open_disk_cache("prompts")
    for file in vault.directory.glob("**/*.val"):
        file.write_bytes(file.read_bytes()[::-1])
    vault.close()
    async with opened(model) as engine:
        again, read = await written(engine, LONG)
    assert again == first
    assert read > 500


async def test_cells_of_another_shape_are_refused_by_the_engine(
    model: Path, own_directories: Path
) -> None:
    """What the checksum cannot see: bytes that were kept whole, but are no cells of this model."""
    from reasoner.engine.local.context import LlamaContext

    context = LlamaContext(model, EngineSettings(context=512, sequences=2), lambda _: None)
    try:
        for nonsense in (b"\0", b"\0" * 64, b"\xff" * 4096):
            assert not context.restore(0, nonsense)
    finally:
        context.close()
        context.free_model()


async def test_nothing_is_kept_of_short_prompts_or_without_leave(model: Path) -> None:
    async with opened(model) as engine:
        await written(engine, "short")
    with open_prompt_cache(model, Settings.load(model=str(model), cache=False)) as shelf:
        assert shelf is None
    with open_prompt_cache(model, Settings.load(model=str(model), cache_size=0)) as shelf:
        assert shelf is None
    assert open_disk_cache("prompts").usage() == (0, 0)
