"""The GGUF reader believes nothing: whatever the bytes, it answers or says BadModelFile."""

import random
import struct
import time
from pathlib import Path

import pytest

from reasoner.errors import BadModelFile
from reasoner.models.gguf import check_gguf, read_gguf
from tests.tiny_gguf import CONTROL_TOKENS, write_tiny_gguf

MUTATIONS = 600


def header(keys: int = 0, tensors: int = 0, version: int = 3, body: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys) + body


def pair(key: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


ARCH = pair("general.architecture", 8, text("llama"))


def test_reads_keys_tokens_and_tensors(tiny_gguf: Path) -> None:
    gguf = read_gguf(tiny_gguf, tokens=(*CONTROL_TOKENS, "no such token"))
    assert gguf.values["general.architecture"] == "llama"
    assert gguf.array_lengths["tokenizer.ggml.tokens"] == 260
    assert gguf.token_ids == {token: 257 + at for at, token in enumerate(CONTROL_TOKENS)}
    assert gguf.special_tokens == {"bos": "<|endoftext|>", "eos": "<|im_end|>"}
    assert len(gguf.tensors) == 21


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"GGUF", "too short"),
        (b"PK\x03\x04" + bytes(100), "not a GGUF"),
        (header(version=1), "version is 1"),
        (header(version=9), "version is 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "byte-swapped"),
        (header(), "no architecture"),
        (header(keys=2**60), "claims"),
        (header(tensors=2**63), "claims"),
        (header(keys=5000), "truncated"),
        (header(keys=1, body=struct.pack("<Q", 2**63)), "truncated"),
        (header(keys=1, body=struct.pack("<Q", 2**64 - 1)), "truncated"),
        (header(keys=1, body=pair("k", 8, struct.pack("<Q", 2**40))), "truncated"),
        (header(keys=1, body=pair("k", 9, struct.pack("<IQ", 8, 2**61))), "truncated"),
        (header(keys=1, body=pair("k", 9, struct.pack("<IQ", 4, 2**62))), "truncated"),
        (header(keys=1, body=pair("k", 9, struct.pack("<IQ", 9, 1))), "array of arrays"),
        (header(keys=1, body=pair("k", 99, bytes(8))), "unknown type"),
        (header(keys=2, body=ARCH * 2), "twice"),
        (header(keys=1, body=pair("general.architecture", 4, bytes(4))), "no architecture"),
        (header(1, 1, body=ARCH + text("t") + struct.pack("<I", 77)), "77 dimensions"),
        (header(1, 1, body=ARCH + text("t") + struct.pack("<IQIQ", 1, 0, 0, 0)), "shape"),
        (
            header(1, 1, body=ARCH + text("t") + struct.pack("<IQQIQ", 2, 2**40, 2**40, 0, 0)),
            "shape",
        ),
        (header(1, 1, body=ARCH + text("t") + struct.pack("<IQIQ", 1, 32, 0, 7)), "not aligned"),
        (header(1, 1, body=ARCH + text("t") + struct.pack("<IQIQ", 1, 33, 2, 0)), "blocks"),
        (header(1, 1, body=ARCH + text("t") + struct.pack("<IQIQ", 1, 32, 0, 0)), "truncated"),
        (header(2, 0, body=ARCH + pair("general.alignment", 4, bytes(4))), "alignment"),
    ],
)
def test_hostile_files_are_named_for_what_they_are(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(data)
    with pytest.raises(BadModelFile, match=reason) as caught:
        check_gguf(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_directories(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadModelFile):
            check_gguf(path)


def test_every_truncation_is_noticed(tiny_gguf: Path, tmp_path: Path) -> None:
    data = tiny_gguf.read_bytes()
    path = tmp_path / "cut.gguf"
    for size in (*range(0, 4000, 37), *range(4000, len(data), 9973), len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(BadModelFile):
            check_gguf(path)


def test_mutated_files_raise_bad_model_file_or_nothing(tmp_path: Path) -> None:
    """A few hundred seeded corruptions of the part that is parsed: bytes, lengths, cuts."""
    data = write_tiny_gguf(tmp_path / "whole.gguf").read_bytes()
    path, dice = tmp_path / "mutated.gguf", random.Random(20)
    refused, started = 0, time.monotonic()
    for _ in range(MUTATIONS):
        mutated = bytearray(data)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(7000)
            extreme = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
            mutated[at : at + dice.choice((1, 1, 4, 8))] = bytes([extreme]) * dice.choice((1, 4, 8))
        path.write_bytes(mutated)
        try:
            read_gguf(path, tokens=CONTROL_TOKENS)
        except BadModelFile:
            refused += 1
    assert refused > MUTATIONS // 4
    assert time.monotonic() - started < 20
