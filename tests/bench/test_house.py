"""The house's figures, on a project of three files that breaks a rule each time and then none."""

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
[tool.importlinter]
root_package = "shop"
[[tool.importlinter.contracts]]
type = "layers"
layers = ["till", "(stock) | (shelf)"]
[tool.house]
sized = ["shop"]
product = ["shop"]
no_layer = []
file_lines = 12
function_lines = 4
readme_lines = 2
bare_words = ["few"]
[tool.house.limits]
module_circles = 0
upward_imports = 0
modules_without_layer = 0
local_imports = 0
reused_class_names = 0
long_files = 0
long_functions = 0
readme_lines = 0
bare_constants = 0
unnamed_errors = 0
"""
NAMED = '''def sell(n: int) -> None:
    """Raises ValueError for none."""
    raise ValueError(n)
'''


def house(root: Path, *figures: str, **files: str) -> "subprocess.CompletedProcess[str]":
    """Write the files into the package, and check the figures named, or all."""
    whole = {"__init__": "", "till": "import shop.stock\n", "stock": "", "shelf": ""} | files
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / "README.md").write_text(whole.pop("readme", "A shop.\n"))
    (root / "shop").mkdir()
    for name, text in whole.items():
        (root / "shop" / f"{name}.py").write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    command = [sys.executable, "-m", "bench.house", "--check", "--root", str(root), *figures]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_project_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    done = house(tmp_path, shelf=NAMED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_imports_for_the_type_checker_are_no_arrows(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import shop.till\n"
    assert house(tmp_path, stock=text).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("figure", "place", "files"),
    [
        ("module_circles", "shop.shelf shop.stock",
         {"shelf": "import shop.stock\n", "stock": "import shop.shelf\n"}),
        ("upward_imports", "shop.stock -> shop.till", {"stock": "import shop.till\n"}),
        ("modules_without_layer", "shop.cellar", {"cellar": "import shop.stock\n"}),
        ("local_imports", "shop/stock.py:2 shop.shelf",
         {"stock": "def sell() -> None:\n    import shop.shelf\n"}),
        ("reused_class_names", "Box: shop/shelf.py shop/stock.py",
         {"shelf": "class Box: ...\n", "stock": "class Box: ...\n"}),
        ("long_files", "shop/stock.py 13 lines", {"stock": "\n" * 13}),
        ("long_functions", "shop/stock.py:1 sell 5 lines",
         {"stock": "def sell() -> None:\n\n\n\n    ...\n"}),
        ("readme_lines", "README.md 3 lines, 1 too many", {"readme": "\n" * 3}),
        ("bare_constants", "shop/stock.py:1 FEW", {"stock": "FEW = 3\n"}),
        ("unnamed_errors", "shop/stock.py:1 sell: ValueError",
         {"stock": NAMED.replace("ValueError for", "it for")}),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_place(
    tmp_path: Path, figure: str, place: str, files: dict[str, str]
) -> None:
    done = house(tmp_path, figure, **files)
    assert done.returncode == 1, done.stderr
    assert f"{figure}: 1, limit 0\n  {place}\n" in done.stdout
