"""Work folders: private, removed whatever is in them, and swept only where they are ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from python_sandbox import folder, pool
from python_sandbox.run import run_python

DEPTH = 1100
NEST = f"""
import os, sys
os.chdir(sys.argv[1])
for number in range({DEPTH}):
    open("file", "w").close()
    os.mkdir("d" * 9)
    os.chdir("d" * 9)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run-time directory of this test."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(folder, "_root", [])
    return tmp_path / "reasoner"


@pytest.mark.slow
def test_what_is_nested_deeper_than_a_path_is_long_is_removed(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    subprocess.run([sys.executable, "-c", NEST, str(box)], check=True)
    assert folder.folder_exceeds(str(box), 1 << 30, 10 * DEPTH)
    assert folder.remove_folder(str(box))
    assert not box.exists()


def test_odd_names_modes_links_and_sparse_files_are_removed(tmp_path: Path) -> None:
    box, outside = tmp_path / "box", tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    for name in ("h", "h/inner", "new\nline", "-rf"):
        (box / name).mkdir(parents=True)
    (box / "h" / os.fsdecode(b"\xff")).touch()
    os.truncate(os.open(box / "sparse", os.O_CREAT | os.O_WRONLY), 1 << 40)
    (box / "link").symlink_to(outside)
    (box / "h" / "inner").chmod(0)
    (box / "h").chmod(0o300)
    assert folder.remove_folder(str(box))
    assert (outside / "kept").exists()
    assert folder.remove_folder(str(box))  # it is gone already


def test_a_folder_of_the_user_is_private_and_goes_with_its_last_one(home: Path) -> None:
    box = Path(folder.create_temporary_folder())
    assert box.parent.parent == home
    assert not home.stat().st_mode & 0o077
    folder._remove_root(os.getpid(), str(box.parent))
    assert not home.exists()


def test_a_name_that_is_taken_is_not_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = home.parent / "elsewhere"
    elsewhere.mkdir()
    home.symlink_to(elsewhere)
    monkeypatch.setattr("tempfile.tempdir", str(home.parent))
    (home.parent / f"reasoner-{os.geteuid()}").mkdir(mode=0o755)
    box = Path(folder.create_temporary_folder())
    assert box.parent.parent not in (home, elsewhere)
    assert not list(elsewhere.iterdir())
    assert not box.parent.parent.stat().st_mode & 0o077


def test_the_sweep_leaves_what_others_can_enter(home: Path) -> None:
    home.mkdir(mode=0o700)
    for name, mode in (("ours", 0o700), ("open", 0o755)):
        (home / f"{folder.PREFIX}{name}").mkdir()
        (home / f"{folder.PREFIX}{name}").chmod(mode)
        os.utime(home / f"{folder.PREFIX}{name}", (1, 1))
    folder.create_temporary_folder()
    assert not (home / f"{folder.PREFIX}ours").exists()
    assert (home / f"{folder.PREFIX}open").exists()


FILLERS = {
    "deep": "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')",
    "hidden": "import os\nos.mkdir('h', 0o300)\nfor n in range(20):\n"
    "    open(f'h/{n}', 'wb').write(bytes(15 << 20))",
    "unlinked": "import os\nheld = []\nfor n in range(56):\n    held.append(open(str(n), 'wb'))\n"
    "    os.unlink(str(n))\n    held[-1].write(bytes(15 << 20))",
    "many": "for n in range(10**6): open(str(n), 'w').close()",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILLERS)
def test_no_program_leaves_anything_or_holds_more_than_its_share(name: str, home: Path) -> None:
    run = run_python(FILLERS[name], seconds=20)
    assert run.outcome == ("ok" if name == "deep" else "disk"), run
    pool.close()
    folder._remove_root(os.getpid(), folder._root[0][1])
    assert not home.exists()
    assert run_python("print(1)").stdout == "1\n"
