"""Models that think in blocks, as a shell sees them: no mark anywhere, and the answer on stdout."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.scripted_gguf import split_pieces, write_scripted_gguf
from tests.tiny_gguf import CHATML, THINK_CHATML

TAGS = ("<think>", "</think>")
ANSWER = "It has \\boxed{6} faces."
HARMONY_TOKENS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|return|>", "<|call|>")
HARMONY = (
    "{% for m in messages %}{% if m.role == 'assistant' and '<|channel|>' in m.content %}"
    "{{ raise_exception('channels in an earlier reply') }}{% endif %}"
    "<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}<|message|>"
    "{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}"
)


def write_endless_thinker(path: Path, kind: str, template: str = THINK_CHATML) -> Path:
    """A model that thinks on until the program closes its block."""
    thoughts = [f"Face {n} of the cube is a square.\n\n" for n in range(1, 40)]
    tags: dict[str, Sequence[str]] = {"control": (), "user_defined": (), kind: TAGS}
    return write_scripted_gguf(
        path,
        thoughts,
        [*split_pieces(ANSWER), "<|im_end|>"],
        switch=["</think>"],
        control=tags["control"],
        user_defined=tags["user_defined"],
        chat_template=template,
        loop=True,
    )


@pytest.mark.parametrize("kind", ["user_defined", pytest.param("control", marks=pytest.mark.slow)])
@pytest.mark.parametrize("limit", [("--budget", "20"), ("--max-steps", "2")])
def test_stdout_is_the_answer_alone(tmp_path: Path, kind: str, limit: tuple[str, str]) -> None:
    model = write_endless_thinker(tmp_path / "m.gguf", kind)
    done = run(tmp_path, "ask", "-m", model, *limit, "How many faces has a cube?")
    assert done.stdout.decode().strip() == ANSWER
    assert b"think>" not in done.stderr
    printed = run(tmp_path, "ask", "-m", model, *limit, "--json", "How many faces has a cube?")
    result = json.loads(printed.stdout)
    assert (result["answer"], result["final"]) == (ANSWER, "6")
    assert "think>" not in printed.stdout.decode()
    assert result["reasoning"][0]["text"] == "Face 1 of the cube is a square."


@pytest.mark.slow
def test_a_second_turn_holds_no_marks_of_the_first(tmp_path: Path) -> None:
    model = write_scripted_gguf(
        tmp_path / "m.gguf",
        ["A cube ", "has six ", "faces.", "<|end|>"],
        ["<|start|>", "assistant", "<|channel|>", "final", "<|message|>", "Six.", "<|return|>"],
        switch=["faces."],
        control=HARMONY_TOKENS,
        chat_template=HARMONY,
        eos="<|return|>",
    )
    first = run(tmp_path, "ask", "-m", model, "How many faces has a cube?")
    second = run(tmp_path, "ask", "-m", model, "-c", "And how many has a box?")
    assert (first.stdout, second.stdout) == (b"Six.\n", b"Six.\n")
    assert (first.returncode, second.returncode) == (0, 0), second.stderr


@pytest.mark.parametrize(
    ("template", "protocol", "marks", "evidence"),
    [
        (THINK_CHATML, "think", "<think> … </think>", "writes them before the reply"),
        (HARMONY, "think", "<|channel|>analysis<|message|>", "around earlier replies"),
        (CHATML, "plain", None, "shows no marks"),
    ],
)
def test_models_show_says_which_marks_and_why(
    tmp_path: Path, template: str, protocol: str, marks: str | None, evidence: str
) -> None:
    model = write_scripted_gguf(
        tmp_path / "m.gguf", ["Six."], user_defined=TAGS, chat_template=template
    )
    shown = json.loads(run(tmp_path, "models", "show", str(model), "--json").stdout)
    assert shown["protocol"] == protocol
    assert (shown.get("marks") or "").startswith(marks or "")
    assert ("marks" in shown) == (marks is not None)
    assert evidence in shown["evidence"]


@pytest.mark.slow
def test_marks_of_ones_own(tmp_path: Path) -> None:
    model = write_scripted_gguf(
        tmp_path / "m.gguf",
        ["<ponder>", "Count ", "them: ", "six.", "</ponder>"],
        [*split_pieces(ANSWER), "<|im_end|>"],
        switch=["</ponder>"],
        user_defined=("<ponder>", "</ponder>"),
    )
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "models.toml").write_text(
        f'[pondering]\npath = "{model}"\n'
        'marks = { opening = "<ponder>", closing = "</ponder>" }\n'
    )
    result = json.loads(run(tmp_path, "ask", "-m", "pondering", "--json", "How many?").stdout)
    assert (result["answer"], result["final"]) == (ANSWER, "6")
    assert [step["text"] for step in result["reasoning"]] == ["Count them: six."]
