"""Heads: what is written is read again, foreign names are found, broken files are one line."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from reasoner.errors import BadModelFile
from reasoner.models.format import HeadShape
from reasoner.value.head import (
    HEAD_ARCHITECTURE,
    Activation,
    ValueHead,
    read_value_head,
    write_value_head,
)

KINDS = {
    int: gguf.GGUFValueType.UINT32,
    float: gguf.GGUFValueType.FLOAT32,
    str: gguf.GGUFValueType.STRING,
}
STATES = np.random.default_rng(0).standard_normal((5, 8), dtype=np.float32)


def layer(rows: int, columns: int, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    weight = random.standard_normal((rows, columns), dtype=np.float32)
    return weight.astype(np.float16).astype(np.float32), random.standard_normal(
        rows, dtype=np.float32
    )


def write_safetensors(path: Path, tensors: Mapping[str, Any], kind: str = "F32") -> Path:
    header, data = {}, b""
    for name, values in tensors.items():
        raw = values.astype(np.float32)
        bits = (
            raw.tobytes() if kind == "F32" else (raw.view(np.uint32) >> 16).astype("<u2").tobytes()
        )
        place = [len(data), len(data) + len(bits)]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": place}
        data += bits
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_what_is_written_is_read_again(tmp_path: Path, activation: Activation) -> None:
    layers = (layer(4, 8, 1), layer(1, 4, 2))
    head = ValueHead(layers, activation, 0.5, -0.25, "last", "ab" * 32)
    write_value_head(tmp_path / "h.gguf", head)
    found = read_value_head(tmp_path / "h.gguf")
    assert found.scores(STATES) == pytest.approx(head.scores(STATES), abs=1e-6)
    assert (found.aggregation, found.base_sha256, found.input_size) == ("last", "ab" * 32, 8)
    assert len({round(score, 3) for score in found.scores(STATES)}) == 5


def test_two_classes_give_the_softmax_of_the_second() -> None:
    weight, bias = layer(2, 8, 3)
    logits = STATES @ weight.T + bias
    expected = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    assert ValueHead(((weight, bias),)).scores(STATES) == pytest.approx(list(expected), abs=1e-5)


def test_the_activation_stands_between_layers_only() -> None:
    (first, one), (second, two) = layer(4, 8, 1), layer(1, 4, 2)
    inner = np.maximum(STATES @ first.T + one, 0)
    expected = inner @ second.T + two
    assert ValueHead(((first, one), (second, two))).logits(STATES) == pytest.approx(expected[:, 0])


@pytest.mark.parametrize(("kind", "precision"), [("F32", 1e-6), ("BF16", 0.05)])
def test_a_foreign_head_is_found_by_its_names(tmp_path: Path, kind: str, precision: float) -> None:
    (first, one), (second, two) = layer(8, 8, 1), layer(2, 8, 2)
    names = {"score.0.weight": first, "score.0.bias": one, "score.2.weight": second}
    path = write_safetensors(tmp_path / "h.safetensors", {**names, "other": two}, kind)
    found = read_value_head(path, HeadShape(layers=("score.0", "score.2")))
    expected = ValueHead(((first, one), (second, np.zeros(2, np.float32))))
    assert found.scores(STATES) == pytest.approx(expected.scores(STATES), abs=precision)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({}, "has no matrix a.weight"),
        ({"a.weight": np.zeros((3, 8))}, "ends in 3 numbers"),
        ({"a.weight": np.zeros((1, 8)), "a.bias": np.zeros(2)}, "does not fit"),
        ({"a.weight": np.full((1, 8), np.nan)}, "not finite"),
    ],
)
def test_tensors_that_make_no_head(tmp_path: Path, tensors: dict[str, Any], words: str) -> None:
    path = write_safetensors(tmp_path / "h.safetensors", tensors)
    with pytest.raises(BadModelFile, match=words):
        read_value_head(path, HeadShape(layers=("a",)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        struct.pack("<Q", 1 << 40),
        struct.pack("<Q", 2) + b"{{",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 11) + b'{"a": null}',
        b"GGUF" + bytes(40),
    ],
)
def test_not_a_head_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "h"
    path.write_bytes(data)
    with pytest.raises(BadModelFile) as caught:
        read_value_head(path, HeadShape(layers=("a",)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "lie",
    [
        {"dtype": []},
        {"dtype": {}},
        {"shape": None},
        {"shape": [math.inf, 8]},
        {"shape": [-1, -8]},
        {"shape": [1, 8, *[1] * 70]},
        {"data_offsets": [-32, 0]},
        {"data_offsets": [0, 16, 32]},
    ],
)
def test_a_header_that_lies(tmp_path: Path, lie: dict[str, Any]) -> None:
    entry = {"dtype": "F32", "shape": [1, 8], "data_offsets": [0, 32], **lie}
    text = json.dumps({"a.weight": entry}).encode()
    path = tmp_path / "h"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(32))
    with pytest.raises(BadModelFile, match="broken safetensors header"):
        read_value_head(path, HeadShape(layers=("a",)))


def test_a_shape_that_lies_about_its_size(tmp_path: Path) -> None:
    header = {"a.weight": {"dtype": "F32", "shape": [1, 1 << 20], "data_offsets": [0, 32]}}
    text = json.dumps(header).encode()
    path = tmp_path / "h"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(32))
    with pytest.raises(BadModelFile, match="does not fill its place"):
        read_value_head(path, HeadShape(layers=("a",)))


def test_a_model_is_not_a_head(tiny_gguf: Path) -> None:
    with pytest.raises(BadModelFile, match="not a value head"):
        read_value_head(tiny_gguf)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layers", 0),
        ("layers", "one"),
        ("activation", "sin"),
        ("aggregation", 3),
        ("scale", "wide"),
        ("scale", math.nan),
        ("bias", math.inf),
        ("seed", "x"),
    ],
)
def test_a_head_of_ours_that_says_nonsense(tmp_path: Path, key: str, value: Any) -> None:
    writer = gguf.GGUFWriter(tmp_path / "h.gguf", HEAD_ARCHITECTURE)
    for name, told in {"layers": 1, key: value}.items():
        writer.add_key_value(f"reasoner.head.{name}", told, KINDS[type(told)])
    writer.add_tensor("head.0.weight", np.ones((1, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(BadModelFile, match=f"not a usable value head: {key}"):
        read_value_head(tmp_path / "h.gguf")
