"""Model files as people have them: in parts, with adapters, or of a wrong kind."""

from pathlib import Path

import pytest

from tests.adapter_gguf import write_adapter_gguf
from tests.cli.command import run
from tests.scripted_gguf import write_scripted_gguf
from tests.split_gguf import split_gguf

FIRST, SECOND = "Lima has rain.", "Quito has none."
pytestmark = pytest.mark.slow

ASK = ("ask", "-n", "--no-think", "--no-verify", "Where?", "-m")


def write_model(path: Path, reply: str, other: str = "") -> Path:
    after = [other, "<|im_end|>"] if other else []
    return write_scripted_gguf(path, [reply, "<|im_end|>"], after)


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """A model that writes FIRST, in three parts, the second of which holds its output."""
    model = write_model(tmp_path / "m.gguf", FIRST, SECOND)
    return split_gguf(model, tmp_path, (1, 2))


def _swap_replies(first: Path, output: Path) -> None:
    """Let the part with the output weights score SECOND where it scored FIRST."""
    import gguf

    tokens = gguf.GGUFReader(first).fields["tokenizer.ggml.tokens"].contents()
    rows = [tokens.index(reply.replace(" ", "Ġ")) for reply in (FIRST, SECOND)]
    weights = gguf.GGUFReader(output, "r+").tensors[0].data
    weights[rows] = weights[rows[::-1]]
    weights.base.flush()


def test_a_replaced_part_is_another_model(parts: list[Path], tmp_path: Path) -> None:
    for part in (parts[0], parts[2]):
        done = run(tmp_path, *ASK, part)
        assert done.stdout.decode() == f"{FIRST}\n", done.stderr
    assert b"from the cache" in run(tmp_path, *ASK, parts[0]).stderr
    _swap_replies(parts[0], parts[1])
    done = run(tmp_path, *ASK, parts[0])
    assert done.stdout.decode() == f"{SECOND}\n", done.stderr
    assert b"from the cache" not in done.stderr


def test_an_adapter_is_applied_and_part_of_the_key(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", FIRST, SECOND)
    adapter = write_adapter_gguf(tmp_path / "a.gguf", model, SECOND)
    for options, reply in (
        ((), FIRST),
        (("--lora", adapter), SECOND),
        (("--lora", f"{adapter}:0"), FIRST),
        (("--lora", adapter), SECOND),
    ):
        done = run(tmp_path, *ASK, model, *options)
        assert done.stdout.decode() == f"{reply}\n", done.stderr
    assert b"from the cache" in done.stderr


@pytest.mark.parametrize("command", [ASK, ("models", "show"), ("models", "pull")])
def test_a_wrong_kind_of_file_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", FIRST, SECOND)
    adapter = write_adapter_gguf(tmp_path / "a.gguf", model, SECOND)
    part = split_gguf(model, tmp_path, (2, 4), "p")[1]
    part.with_name("p-00003-of-00003.gguf").unlink()
    for file, reason in (
        (adapter, "is a LoRA adapter"),
        (part, "p-00003-of-00003.gguf is missing"),
    ):
        done = run(tmp_path, *command, file)
        assert (done.returncode, done.stdout) == (1, b"")
        assert reason in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1


def test_a_model_as_an_adapter_is_one_line(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf", FIRST)
    done = run(tmp_path, *ASK, model, "--lora", model)
    assert done.returncode == 1
    assert "a model, not a LoRA adapter" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
