"""A GGUF that is no model is named for what it is, and a split model is one model."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reasoner.errors import BadModelFile
from reasoner.models.checksum import cached_checksum, model_checksum
from reasoner.models.fetch import ensure_model
from reasoner.models.installed import find_model, find_models, remove_model
from reasoner.models.metadata import read_metadata
from reasoner.models.model_file import check_adapter
from tests.models.conftest import FILE, REPO
from tests.models.hub_server import FakeHub
from tests.split_gguf import split_gguf
from tests.tiny_gguf import write_tiny_gguf

CUTS = (4, 11)


def _write(path: Path, architecture: str, *, tensors: bool, **keys: str) -> Path:
    import gguf

    writer = gguf.GGUFWriter(path, architecture)
    for key, value in keys.items():
        writer.add_string(key.replace("_", "."), value)
    writer.add_token_list(["a", "b"])
    if tensors:
        writer.add_tensor("t.weight", np.zeros((2, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("look_at", [ensure_model, lambda name: read_metadata(Path(name))])
@pytest.mark.parametrize(
    ("architecture", "keys", "tensors", "kind"),
    [
        ("qwen2", {"general_type": "adapter", "adapter_type": "lora"}, True, "a LoRA adapter"),
        ("gemma3", {"adapter_type": "lora"}, True, "a LoRA adapter"),
        ("clip", {}, True, "an image projector"),
        ("qwen2vl", {"general_type": "mmproj"}, True, "an image projector"),
        ("", {"general_type": "imatrix"}, True, "an importance matrix"),
        ("controlvector", {}, True, "a control vector"),
        ("llama", {}, False, "a vocabulary and no weights"),
    ],
)
def test_other_files_are_named(
    tmp_path: Path,
    look_at: Callable[[str], Any],
    architecture: str,
    keys: dict[str, str],
    tensors: bool,
    kind: str,
) -> None:
    path = _write(tmp_path / "it.gguf", architecture, tensors=tensors, **keys)
    with pytest.raises(BadModelFile, match=kind) as caught:
        look_at(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\x40\x00\x00\x00\x00\x00\x00\x00{}", "safetensors"),
        (b"PK\x03\x04", "zip archive"),
        (b"tjgg\x03\x00\x00\x00", "before GGUF"),
        (bytes(16), "not a GGUF file$"),
    ],
)
def test_files_of_another_format_are_named(tmp_path: Path, start: bytes, kind: str) -> None:
    path = tmp_path / "it.gguf"
    path.write_bytes(start + bytes(64))
    with pytest.raises(BadModelFile, match=kind):
        ensure_model(str(path))


def test_a_model_is_no_adapter(tiny_gguf: Path) -> None:
    with pytest.raises(BadModelFile, match="a model, not a LoRA adapter"):
        check_adapter(tiny_gguf)


@pytest.fixture
def split(tiny_gguf: Path, tmp_path: Path) -> list[Path]:
    """The tiny model in three files."""
    folder = tmp_path / "split"
    folder.mkdir()
    return split_gguf(tiny_gguf, folder, CUTS)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_any_part_stands_for_the_model(split: list[Path], tiny_gguf: Path, index: int) -> None:
    model, whole = ensure_model(str(split[index])), read_metadata(tiny_gguf)
    assert model.path == split[0]
    located = find_model(str(split[index]))
    assert located is not None
    assert located.path == split[0]
    info = read_metadata(split[index])
    assert (info.parts, info.parameters, info.layers) == (3, whole.parameters, whole.layers)
    assert info.size == sum(part.stat().st_size for part in split)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_missing_part_is_named(split: list[Path], index: int) -> None:
    split[index].unlink()
    for part in [part for part in split if part.exists()]:
        with pytest.raises(BadModelFile, match=f"{split[index].name} is missing"):
            ensure_model(str(part))


def test_parts_that_are_not_of_one_model_are_refused(
    split: list[Path], tmp_path: Path, tiny_gguf: Path
) -> None:
    shutil.copy(split[1], split[2])
    with pytest.raises(BadModelFile, match="is named part 3 of 3, but is part 2 of 3"):
        ensure_model(str(split[0]))
    other = split_gguf(tiny_gguf, tmp_path, (4, 9))
    shutil.copy(other[2], split[2])
    with pytest.raises(BadModelFile, match="do not belong together"):
        ensure_model(str(split[0]))
    shutil.move(split[0], tmp_path / "renamed.gguf")
    with pytest.raises(BadModelFile, match=r"part 1 of 3.*NAME-00001-of-00003\.gguf"):
        ensure_model(str(tmp_path / "renamed.gguf"))


def test_the_checksum_covers_every_part(split: list[Path], tmp_path: Path) -> None:
    first = model_checksum(split[0])
    assert cached_checksum(split[0]) == first
    other = write_tiny_gguf(tmp_path / "tiny.gguf", seed=5)
    for index, part in enumerate(split_gguf(other, tmp_path, CUTS)):
        shutil.copy(split[index], tmp_path / "saved")
        shutil.copy(part, split[index])
        assert cached_checksum(split[0]) is None
        assert model_checksum(split[0]) != first
        shutil.copy(tmp_path / "saved", split[index])
    assert model_checksum(split[0]) == first


def test_all_parts_are_fetched_from_the_hub(hub: FakeHub, split: list[Path]) -> None:
    names = [f"Q4_K_M/m-Q4_K_M-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    del hub.files[f"{REPO}/{FILE}"]
    hub.files |= {f"{REPO}/{n}": p.read_bytes() for n, p in zip(names, split, strict=True)}
    path = ensure_model(REPO).path
    assert read_metadata(path).parts == 3
    assert [model.name for model in find_models()][2:] == [f"{REPO}:{names[0]}"]
    hub.gets.clear()
    path.with_name(path.name.replace("00001", "00002")).unlink()
    assert find_model(REPO) is None
    assert ensure_model(f"{REPO}:{names[2].rsplit('/', 1)[-1]}").path == path
    assert [get.rsplit("/", 1)[-1] for get in hub.gets] == [names[1].rsplit("/", 1)[-1]]
    assert len(remove_model(REPO)) == 3
    assert not path.parent.exists()


def test_a_damaged_part_is_fetched_again(hub: FakeHub, split: list[Path]) -> None:
    names = [f"m-Q4_K_M-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    del hub.files[f"{REPO}/{FILE}"]
    hub.files |= {f"{REPO}/{n}": p.read_bytes() for n, p in zip(names, split, strict=True)}
    path = ensure_model(REPO).path
    last = path.with_name(names[2])
    last.write_bytes(last.read_bytes()[:-900])
    hub.gets.clear()
    assert ensure_model(REPO).path == path
    assert last.read_bytes() == split[2].read_bytes()
    assert [get.rsplit("/", 1)[-1] for get in hub.gets] == [names[2]]
