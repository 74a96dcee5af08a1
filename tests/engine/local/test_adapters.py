"""LoRA adapters change what a model writes, and one that does not fit is named."""

from pathlib import Path

import pytest

from reasoner.engine.local.engine import LocalEngine
from reasoner.engine.sampling import Sampling
from reasoner.errors import BadModelFile
from reasoner.settings import EngineSettings
from reasoner.types.lora_adapter import LoraAdapter
from tests.adapter_gguf import write_adapter_gguf
from tests.scripted_gguf import write_scripted_gguf
from tests.tiny_gguf import write_tiny_gguf

SCRIPT, AFTER = ("Oslo lies south.", "<|im_end|>"), ("Riga lies east.", "<|im_end|>")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lora") / "m.gguf"
    return write_scripted_gguf(path, SCRIPT, AFTER)


async def _reply(model: Path, *adapters: LoraAdapter) -> str:
    settings = EngineSettings(context=256, sequences=2, lora=adapters)
    engine = await LocalEngine.open(model, settings)
    try:
        prompt = engine.tokenize("Where?")
        generation = engine.generate(prompt, Sampling(temperature=0.0), max_tokens=4)
        return engine.detokenize([token.id async for token in generation])
    finally:
        await engine.close()


async def test_an_adapter_changes_the_reply_by_its_scale(model: Path, tmp_path: Path) -> None:
    path = write_adapter_gguf(tmp_path / "a.gguf", model, AFTER[0])
    assert await _reply(model) == SCRIPT[0]
    assert await _reply(model, LoraAdapter(path=path)) == AFTER[0]
    assert await _reply(model, LoraAdapter(path=path, scale=0.0)) == SCRIPT[0]
    assert await _reply(model, LoraAdapter(path=path, scale=-1.0)) == SCRIPT[0]
    halves = [LoraAdapter(path=path, scale=0.5), LoraAdapter(path=path, scale=0.5)]
    assert await _reply(model, *halves) == AFTER[0]


async def test_what_does_not_fit_is_named(model: Path, tmp_path: Path) -> None:
    for path, reason in (
        (model, "is a model, not a LoRA adapter"),
        (
            write_adapter_gguf(tmp_path / "b.gguf", model, AFTER[0], arch="qwen2"),
            "does not fit this model.*arch",
        ),
        (
            write_adapter_gguf(tmp_path / "c.gguf", model, AFTER[0], extra_width=32),
            "does not fit this model",
        ),
        (tmp_path / "none.gguf", "No such file"),
    ):
        with pytest.raises(BadModelFile, match=reason) as caught:
            await _reply(model, LoraAdapter(path=path))
        assert "\n" not in str(caught.value)
    other = write_tiny_gguf(tmp_path / "other.gguf")
    with pytest.raises(BadModelFile, match="does not fit this model"):
        await _reply(
            other, LoraAdapter(path=write_adapter_gguf(tmp_path / "d.gguf", model, AFTER[0]))
        )


@pytest.mark.parametrize(
    ("text", "path", "scale"),
    [
        ("a.gguf", "a.gguf", 1.0),
        ("a.gguf:0.25", "a.gguf", 0.25),
        ("dir:x/a.gguf", "dir:x/a.gguf", 1.0),
        ("a.gguf:-2", "a.gguf", -2.0),
    ],
)
def test_the_text_of_an_adapter(text: str, path: str, scale: float) -> None:
    assert LoraAdapter.model_validate(text) == LoraAdapter(path=Path(path), scale=scale)


@pytest.mark.parametrize("text", [":0.5", "a.gguf:nan", "a.gguf:1e9", ""])
def test_a_bad_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"scale|names no file"):
        EngineSettings(lora=[text])  # type: ignore[arg-type]
