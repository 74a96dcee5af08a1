"""What a model can be called, and which file of a repository is meant."""

from pathlib import Path

import pytest

from reasoner.errors import DownloadError, UnknownName, UsageError
from reasoner.models.name import HubName, choose_hub_file, parse_model_name, require_parts
from reasoner.models.spec import ModelSpec

FILES = [
    "README.md",
    "mmproj-model-f16.gguf",
    "m-Q2_K.gguf",
    "m-Q4_K_M.gguf",
    "m-UD-Q4_K_XL.gguf",
    "m.Q8_0.gguf",
    "big/m-BF16-00001-of-00002.gguf",
    "big/m-BF16-00002-of-00002.gguf",
]


def test_aliases_in_any_case() -> None:
    for name in ("smollm2-135m", "SmolLM2-135M"):
        spec = parse_model_name(name)
        assert isinstance(spec, ModelSpec)
        assert spec.alias == "smollm2-135m"


def test_a_file_that_exists_is_a_path_whatever_it_is_called(tmp_path: Path) -> None:
    file = tmp_path / "blob"
    file.touch()
    assert parse_model_name(str(file)) == file


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("owner/repo", HubName("owner/repo")),
        ("owner/repo:Q4_K_M", HubName("owner/repo", "Q4_K_M")),
        ("owner/repo-1.5B:sub/m.gguf", HubName("owner/repo-1.5B", "sub/m.gguf")),
    ],
)
def test_hub_names(name: str, meant: HubName) -> None:
    assert parse_model_name(name) == meant


@pytest.mark.parametrize("name", ["./nope.gguf", "dir/nope.gguf", "/a/b/c.gguf", "nope.gguf"])
def test_a_missing_gguf_is_said_to_be_missing(name: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        parse_model_name(name)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="directory"):
        parse_model_name(str(tmp_path))


@pytest.mark.parametrize("name", ["smollm", "smollm2-135n", "", "a b", "a\0b", "x" * 5000])
def test_an_unknown_alias_names_the_nearest(name: str) -> None:
    with pytest.raises(UnknownName, match="no model named") as caught:
        parse_model_name(name)
    assert ("smollm2-135m" in caught.value.near) == name.startswith("smollm")


@pytest.mark.parametrize(
    ("wanted", "file"),
    [
        (None, "m-Q4_K_M.gguf"),
        ("q2_k", "m-Q2_K.gguf"),
        ("Q8_0", "m.Q8_0.gguf"),
        ("q4_k_xl", "m-UD-Q4_K_XL.gguf"),
        ("M-q2_k.GGUF", "m-Q2_K.gguf"),
        ("bf16", "big/m-BF16-00001-of-00002.gguf"),
        ("m-BF16-00002-of-00002.gguf", "big/m-BF16-00001-of-00002.gguf"),
    ],
)
def test_a_quant_or_a_file_picks_one(wanted: str | None, file: str) -> None:
    assert choose_hub_file("o/r", FILES, wanted) == file


def test_without_a_wish_the_only_file_will_do() -> None:
    assert choose_hub_file("o/r", ["a-IQ1_S.gguf", "x.txt"], None) == "a-IQ1_S.gguf"


def test_a_split_model_counts_once_and_needs_all_its_parts() -> None:
    files = [f"x-Q6_K-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert choose_hub_file("o/r", files, None) == files[0]
    assert choose_hub_file("o/r", [*files, "long-name-x-Q6_K.gguf"], "Q6_K").startswith("long")
    assert require_parts("o/r", files[0], files) == files[0]
    with pytest.raises(DownloadError, match=f"{files[1]} is missing"):
        require_parts("o/r", files[0], [files[0], files[2]])


@pytest.mark.parametrize("file", ["../../x.gguf", "/etc/x.gguf", "a/../../x.gguf", "a\\x.gguf"])
def test_a_place_outside_the_folder_is_no_model_of_a_repository(file: str) -> None:
    with pytest.raises(DownloadError, match="holds no GGUF"):
        choose_hub_file("o/r", [file], None)


@pytest.mark.parametrize(
    ("files", "wanted", "reason"),
    [
        (FILES, "Q4_K", "nothing called 'Q4_K'.*m-Q2_K.gguf"),
        (FILES, "mmproj-model-f16.gguf", "an image projector"),
        (["README.md"], None, "no GGUF"),
        (["a-IQ1_S.gguf", "b-IQ1_S.gguf"], None, "several models"),
    ],
)
def test_what_cannot_be_picked_is_explained(
    files: list[str], wanted: str | None, reason: str
) -> None:
    with pytest.raises(DownloadError, match=reason):
        choose_hub_file("o/r", files, wanted)
