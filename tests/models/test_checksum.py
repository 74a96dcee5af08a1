"""A file is hashed once; the stamp counts only while size and modification time agree."""

import hashlib
import os
from pathlib import Path

import pytest

from reasoner.errors import ChecksumError, ModelError
from reasoner.models import checksum
from reasoner.models.checksum import model_checksum


def test_hashes_once_and_notices_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    assert model_checksum(file) == hashlib.sha256(b"one").hexdigest()
    with monkeypatch.context() as patch:
        patch.setattr(checksum, "hash_file", lambda path: pytest.fail("hashed again"))
        assert checksum.is_known_checksum(file)
        assert model_checksum(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert not checksum.is_known_checksum(file)
    assert model_checksum(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("stamp", ["", "[]", "{}", "null", '{"sha256": 3}', "\x00"])
def test_a_broken_stamp_is_no_stamp(tmp_path: Path, stamp: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    checksum.stamp_path(file).parent.mkdir(parents=True)
    checksum.stamp_path(file).write_text(stamp)
    assert model_checksum(file) == hashlib.sha256(b"one").hexdigest()


def test_stamps_that_cannot_be_written_do_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wall").touch()
    monkeypatch.setenv("REASONER_CACHE_DIR", str(tmp_path / "wall" / "cache"))
    file = tmp_path / "file"
    file.write_bytes(b"one")
    for _ in range(2):
        assert model_checksum(file) == hashlib.sha256(b"one").hexdigest()


def test_verify_names_both_values(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    checksum.verify_checksum(file, None, None)
    checksum.verify_checksum(file, hashlib.sha256(b"one").hexdigest(), 3)
    with pytest.raises(ChecksumError, match="3 bytes instead of 4"):
        checksum.verify_checksum(file, None, 4)
    with pytest.raises(ChecksumError, match="instead of 0000"):
        checksum.verify_checksum(file, "0" * 64)


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        checksum.hash_file(tmp_path / "none")
