"""The scripted models of other tests recite what they are given."""

from pathlib import Path

import pytest

from reasoner.engine.sampling import Sampling
from tests.protocol.writing import open_engine
from tests.scripted_gguf import split_pieces, write_scripted_gguf
from tests.tiny_gguf import THINK_TOKENS

GREEDY = Sampling(temperature=0.0)


async def recite(path: Path, prompt: str) -> str:
    engine = await open_engine(path)
    generation = engine.generate(engine.tokenize(prompt), GREEDY, None, max_tokens=40, seed=0)
    text = engine.detokenize([token.id async for token in generation], special=True)
    await engine.close()
    return text


def test_pieces_are_unique_and_keep_the_text() -> None:
    text = "One and two and three.<|im_end|>"
    pieces = split_pieces(text)
    assert "".join(pieces) == text
    assert len(set(pieces)) == len(pieces)
    assert pieces[-1] == "<|im_end|>"


@pytest.mark.parametrize("kind", ["control", "user_defined"])
async def test_the_script_follows_any_prompt_until_the_switch(tmp_path: Path, kind: str) -> None:
    path = write_scripted_gguf(
        tmp_path / "scripted.gguf",
        [*split_pieces("I am sure it is Rome."), "</think>"],
        [*split_pieces("It is Rome."), "<|im_end|>"],
        switch=["</think>"],
        control=THINK_TOKENS if kind == "control" else (),
        user_defined=THINK_TOKENS if kind == "user_defined" else (),
    )
    written = "I am sure it is Rome.</think>It is Rome."
    assert (await recite(path, "Which capital?")).removesuffix("<|im_end|>") == written
    forced = await recite(path, "Which capital? I am</think>\n\n")
    assert forced.removesuffix("<|im_end|>") == "It is Rome."
