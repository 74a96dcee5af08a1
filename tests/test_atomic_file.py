"""A file is replaced as a whole or not at all, and no draft stays behind."""

from pathlib import Path

import pytest

from reasoner.atomic_file import replacing, write_atomically


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for text in ("first", "second"):
        write_atomically(file, text)
        assert file.read_text("utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_atomically(file, "old")

    def fail_halfway() -> None:
        with replacing(file) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert file.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [file]
