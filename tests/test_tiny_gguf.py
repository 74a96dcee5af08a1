"""The tiny model is a real one: llama.cpp loads it, its tokens round-trip, it decodes."""

from pathlib import Path

import pytest

from tests.tiny_gguf import CONTROL_TOKENS, STEINER_TOKENS, THINK_TOKENS, write_tiny_gguf


def test_names_the_fourteen_steiner_tokens() -> None:
    assert len(set(STEINER_TOKENS)) == 14
    assert "<|reasoning_step_start|>" in STEINER_TOKENS


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_tiny_gguf(tmp_path / name, seed=7) for name in ("a.gguf", "b.gguf"))
    assert one.read_bytes() == two.read_bytes()
    assert write_tiny_gguf(tmp_path / "c.gguf", seed=8).read_bytes() != one.read_bytes()


@pytest.mark.parametrize("extra", [(), STEINER_TOKENS, THINK_TOKENS])
def test_llama_cpp_loads_tokenises_and_decodes(tmp_path: Path, extra: tuple[str, ...]) -> None:
    from llama_cpp import Llama

    path = write_tiny_gguf(tmp_path / "tiny.gguf", extra_tokens=extra)
    model = Llama(str(path), n_ctx=256, verbose=False)
    try:
        text = "Hello, the wörld!\n\t3 * 18 = 54 ≠ 55 🙂 \x00\x7f".encode()
        tokens = model.tokenize(text, add_bos=False)
        assert model.detokenize(tokens) == text
        for token in (*CONTROL_TOKENS, *extra):
            assert len(model.tokenize(token.encode(), add_bos=False, special=True)) == 1
        stream = model.generate(tokens, temp=0.0)
        assert all(0 <= next(stream) < model.n_vocab() for _ in range(5))
    finally:
        model.close()
