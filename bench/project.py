"""A project as its sources show it: parsed files, the graph of its imports, and its settings."""

import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import grimp

__all__ = ["Project", "Source"]


@dataclass(frozen=True)
class Source:
    """A parsed file; `path` is relative to the root."""

    path: str
    lines: int
    tree: ast.Module

    def place(self, node: ast.stmt, text: str) -> str:
        return f"{self.path}:{node.lineno} {text}"


class Project:
    """The tracked Python files of a project, the graph of its imports, and its settings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with (root / "pyproject.toml").open("rb") as file:
            tools = tomllib.load(file)["tool"]
        self.settings: dict[str, Any] = tools["house"]
        self.linter: dict[str, Any] = tools["importlinter"]

    @cached_property
    def sources(self) -> list[Source]:
        """Every file of the folders named in `sized`."""
        folders = [f"{folder}/*.py" for folder in self.settings["sized"]]
        listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
        output = subprocess.run(listing, cwd=self.root, capture_output=True, text=True, check=True)
        paths = [
            path for path in sorted(output.stdout.splitlines()) if (self.root / path).is_file()
        ]
        return [self._parse(path) for path in paths]

    @property
    def product(self) -> list[Source]:
        """The files that users install: those of the folders named in `product`."""
        folders = tuple(f"{folder}/" for folder in self.settings["product"])
        return [source for source in self.sources if source.path.startswith(folders)]

    @property
    def package(self) -> str:
        return str(self.linter["root_package"])

    @cached_property
    def runtime_imports(self) -> list[tuple[str, str]]:
        """Pairs of importer and imported; imports inside functions are among them."""
        return self._imports(without_type_checking=True)

    @cached_property
    def type_checking_imports(self) -> list[tuple[str, str]]:
        """The pairs that exist only below `if TYPE_CHECKING`."""
        every = self._imports(without_type_checking=False)
        return sorted({*every} - {*self.runtime_imports})

    @cached_property
    def layers(self) -> dict[str, int]:
        """The layer of each module or package below the root package; 0 is the highest."""
        contracts = self.linter["contracts"]
        layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
        return {
            name.strip("() "): number
            for number, layer in enumerate(layers)
            for name in re.split(r"[|:]", layer)
        }

    def layer(self, module: str) -> int | None:
        """The layer of the longest listed prefix of a module's name; None when none is listed."""
        parts = module.removeprefix(f"{self.package}.").split(".")
        names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((self.layers[name] for name in names if name in self.layers), None)

    def _parse(self, path: str) -> Source:
        text = (self.root / path).read_text(encoding="utf-8")
        return Source(path, len(text.splitlines()), ast.parse(text, path))

    def _imports(self, *, without_type_checking: bool) -> list[tuple[str, str]]:
        sys.path.insert(0, str(self.root))
        graph = grimp.build_graph(
            self.package, exclude_type_checking_imports=without_type_checking, cache_dir=None
        )
        sys.path.remove(str(self.root))
        return sorted(
            (module, imported)
            for module in graph.modules
            for imported in graph.find_modules_directly_imported_by(module)
        )
