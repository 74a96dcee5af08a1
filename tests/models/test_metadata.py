"""What a file can serve as is read from it, not from its name."""

from pathlib import Path

import numpy as np
import pytest

from reasoner.errors import BadModelFile
from reasoner.models.metadata import STEINER_MARKS, THINK_TAGS, read_metadata
from tests.tiny_gguf import CHATML, STEINER_TOKENS, THINK_TOKENS, write_tiny_gguf


def test_describes_the_model(tiny_gguf: Path) -> None:
    info = read_metadata(tiny_gguf)
    assert (info.architecture, info.name, info.quantization) == ("llama", "tiny", "F16")
    assert (info.context, info.embedding, info.layers, info.vocabulary) == (2048, 64, 2, 260)
    assert (info.bos, info.eos) == ("<|endoftext|>", "<|im_end|>")
    assert info.chat_template == CHATML
    assert info.size == tiny_gguf.stat().st_size
    assert 100_000 < info.parameters < 200_000
    assert (info.policy, info.value, info.has_steiner_marks) == (True, "judge", False)


@pytest.mark.parametrize(
    ("tokens", "template", "has_steiner_marks"),
    [
        (STEINER_TOKENS, CHATML, True),
        (STEINER_TOKENS[:-1], CHATML, False),
        (THINK_TOKENS, CHATML, False),
        ((*THINK_TOKENS, *STEINER_TOKENS), CHATML, True),
        ((), None, False),
    ],
)
def test_special_tokens_show_in_the_vocabulary(
    tmp_path: Path, tokens: tuple[str, ...], template: str | None, has_steiner_marks: bool
) -> None:
    path = tmp_path / "m.gguf"
    info = read_metadata(write_tiny_gguf(path, extra_tokens=tokens, chat_template=template))
    assert info.has_steiner_marks is has_steiner_marks
    assert list(info.special_tokens) == list(tokens)
    assert ("without a chat template" in info.policy_reason) == (template is None)


def test_the_lists_of_tokens_agree() -> None:
    assert STEINER_MARKS == STEINER_TOKENS
    assert THINK_TAGS == THINK_TOKENS


def test_the_formats_it_has_the_tokens_for(tmp_path: Path) -> None:
    plain = read_metadata(write_tiny_gguf(tmp_path / "p.gguf"))
    assert {"rlhflow", "head"} <= set(plain.value_formats)
    assert not {"judge", "math-shepherd", "qwen2_5-math-prm", "x1"} & set(plain.value_formats)
    tokens = ("<extra_0>", "yes", "no")
    rich = read_metadata(write_tiny_gguf(tmp_path / "r.gguf", extra_tokens=tokens))
    assert {"judge", "qwen3-reranker", "qwen2_5-math-prm"} <= set(rich.value_formats)
    assert list(rich.special_tokens) == ["<extra_0>"]
    bare = read_metadata(
        write_tiny_gguf(tmp_path / "b.gguf", chat_template=None, extra_tokens=tokens)
    )
    assert not {"judge", "rlhflow"} & set(bare.value_formats)


def test_an_encoder_is_neither_policy_nor_value(tmp_path: Path) -> None:
    info = read_metadata(write_tiny_gguf(tmp_path / "m.gguf", arch="bert"))
    assert (info.policy, info.value) == (False, None)
    assert "bert" in info.policy_reason


def test_a_rank_head_scores_and_does_not_write(tmp_path: Path) -> None:
    import gguf

    path = tmp_path / "m.gguf"
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_pooling_type(gguf.PoolingType.RANK)
    writer.add_token_list(["a", "b"])
    writer.add_tensor("cls.weight", np.ones((1, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    info = read_metadata(path)
    assert (info.policy, info.value) == (False, "rank")


def test_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_text("hello, this is only some text")
    with pytest.raises(BadModelFile, match="not a GGUF"):
        read_metadata(path)
