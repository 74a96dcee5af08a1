"""Formats of value models: the shipped ones are sound, and a bad one says what is wrong."""

from pathlib import Path

import pytest

from reasoner.errors import UsageError
from reasoner.models.registry import load_registry, load_value_formats

FIELDS = {
    "layout": '"text"',
    "opening": '"{question}"',
    "good": '["+"]',
    "bad": '["-"]',
    "aggregation": '"min"',
}


def write(own: Path, **changes: str) -> None:
    (own / "config").mkdir(exist_ok=True)
    lines = [f"{key} = {value}" for key, value in (FIELDS | changes).items() if value]
    text = "\n".join(["[value-formats.mine]", *lines])
    (own / "config" / "models.toml").write_text(text, "utf-8")


def test_every_kind_is_there_and_described(own_directories: Path) -> None:
    known = load_value_formats()
    assert {"judge", "self-judge", "math-shepherd", "rlhflow", "qwen3-reranker"} <= known.keys()
    assert {"qwen2_5-math-prm", "skywork", "x1", "head"} <= known.keys()
    assert all(form.description for form in known.values())
    assert {form.layout for form in known.values()} == {"text", "chat", "turns", "path"}


def test_the_value_models_of_the_registry_have_a_format() -> None:
    assert all(spec.format for spec in load_registry().values() if spec.use == "value")


def test_own_formats_are_added(own_directories: Path) -> None:
    write(own_directories)
    assert load_value_formats()["mine"].good == ("+",)
    assert "value-formats" not in load_registry()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"good": ""}, "needs both `good` and `bad`"),
        ({"good": "", "bad": ""}, "either `good` and `bad` tokens or a `head`"),
        ({"head": '{ layers = ["a"] }'}, "either `good` and `bad` tokens or a `head`"),
        ({"good": "", "bad": "", "head": "{ layers = [] }"}, "head.layers"),
        ({"opening": '"hello"'}, "`opening` must hold {question}"),
        ({"step": '"hello"'}, "`step` must hold {step}"),
        ({"layout": '"chat"', "user": '"{question}"'}, "`user` must hold {steps}"),
        ({"aggregation": '"max"'}, "aggregation"),
        ({"colour": '"red"'}, "colour"),
    ],
)
def test_a_bad_format_is_one_line_with_its_name(
    own_directories: Path, changes: dict[str, str], words: str
) -> None:
    write(own_directories, **changes)
    with pytest.raises(UsageError) as caught:
        load_value_formats()
    assert "value-formats.mine" in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_with_an_unknown_format(own_directories: Path) -> None:
    (own_directories / "config").mkdir()
    text = '[m]\nrepo = "a/b"\nfile = "c.gguf"\nformat = "nosuch"\n'
    (own_directories / "config" / "models.toml").write_text(text)
    with pytest.raises(UsageError, match="no value format named 'nosuch'"):
        load_registry()
