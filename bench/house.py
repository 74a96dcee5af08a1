"""The figures of the house's own rules: import circles, layers, names, sizes and docstrings.

    python -m bench.house [NAME …] [--check] [--root DIRECTORY]

Reads the source and runs none of it. The layers are those of the import-linter contract in
`pyproject.toml`, and the folders, limits and word list are its table `[tool.house]`. Each figure is
a list of places; NAME limits the lists to those figures. `--check` prints only the figures that
are above their limits and exits with 1 when there are any.
"""

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import networkx

from bench.project import Project

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


def module_circles(project: Project) -> list[str]:
    """Groups of modules that all import each other, directly or not."""
    return _circles(project.runtime_imports)


def package_circles(project: Project) -> list[str]:
    """The same between the modules and packages directly below the root package."""
    rooms = [
        (_room(importer), _room(imported))
        for importer, imported in project.runtime_imports
        if project.package not in (importer, imported)
    ]
    return _circles(pair for pair in rooms if pair[0] != pair[1])


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _circles(imports: Iterable[tuple[str, str]]) -> list[str]:
    groups = networkx.strongly_connected_components(networkx.DiGraph(list(imports)))
    return sorted(" ".join(sorted(group)) for group in groups if len(group) > 1)


def upward_imports(project: Project) -> list[str]:
    """Imports of a higher layer at run time."""
    return _upward(project, project.runtime_imports)


def upward_type_imports(project: Project) -> list[str]:
    """Imports of a higher layer for the type checker only."""
    return _upward(project, project.type_checking_imports)


def _upward(project: Project, imports: Iterable[tuple[str, str]]) -> list[str]:
    def is_upward(importer: str, imported: str) -> bool:
        low, high = project.layer(importer), project.layer(imported)
        return low is not None and high is not None and high < low

    return [
        f"{importer} -> {imported}"
        for importer, imported in imports
        if is_upward(importer, imported)
    ]


def modules_without_layer(project: Project) -> list[str]:
    """Modules and packages below the root package that the layers do not name."""
    modules = {module for pair in project.runtime_imports for module in pair}
    rooms = {_room(module) for module in modules if project.layer(module) is None}
    ignored = {f"{project.package}.{name}" for name in project.settings["no_layer"]}
    return sorted(rooms - ignored - {project.package})


def local_imports(project: Project) -> list[str]:
    """Imports of our own modules inside functions."""
    own = {project.package, *project.settings["product"]}
    places = []
    for source in project.product:
        for function in _functions(source.tree):
            for node in _body(function):
                names = sorted(name for name in _imported(node) if name.split(".")[0] in own)
                places += [source.place(node, name) for name in names]  # type: ignore[arg-type]
    return places


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def reused_class_names(project: Project) -> list[str]:
    """Public class names that more than one module defines."""
    places = defaultdict(list)
    for source in project.product:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(source.path)
    return [
        f"{name}: {' '.join(paths)}" for name, paths in sorted(places.items()) if len(paths) > 1
    ]


def long_files(project: Project) -> list[str]:
    """Files with more lines than `file_lines`."""
    longest = project.settings["file_lines"]
    return [f"{s.path} {s.lines} lines" for s in project.sources if s.lines > longest]


def long_functions(project: Project) -> list[str]:
    """Functions with more lines than `function_lines`, from the `def` to the end."""
    longest = project.settings["function_lines"]
    return [
        source.place(function, f"{function.name} {_length(function)} lines")
        for source in project.sources
        for function in _functions(source.tree)
        if _length(function) > longest
    ]


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def readme_lines(project: Project) -> list[str]:
    """The README's lines beyond `readme_lines`."""
    lines = len((project.root / "README.md").read_text(encoding="utf-8").splitlines())
    excess = lines - project.settings["readme_lines"]
    return [f"README.md {lines} lines, {excess} too many"] if excess > 0 else []


def bare_constants(project: Project) -> list[str]:
    """Module-level constants whose name is one of `bare_words` and so names no quantity."""
    words = set(project.settings["bare_words"])
    return [
        source.place(node, name)
        for source in project.product
        for node in source.tree.body
        for name in _assigned(node)
        if name.isupper() and name.strip("_").lower() in words
    ]


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def unnamed_errors(project: Project) -> list[str]:
    """Public functions that raise an error which their docstring does not name."""
    places = []
    for source in project.product:
        if "reasoner/cli/commands/" in source.path:
            continue  # their docstrings are help texts, and their manual pages have the exit codes
        for function in _public_functions(source.tree):
            documented = ast.get_docstring(function) or ""
            missing = sorted(name for name in _raised(function) if name not in documented)
            places += [source.place(function, f"{function.name}: {name}") for name in missing]
    return places


def _raised(function: Function) -> set[str]:
    """The classes that a function raises itself; an abstract method's are not counted."""
    errors = (node.exc for node in _body(function) if isinstance(node, ast.Raise) and node.exc)
    classes = (error.func if isinstance(error, ast.Call) else error for error in errors)
    names = {ast.unparse(name).rpartition(".")[2] for name in classes}
    return {name for name in names if name[:1].isupper()} - {"NotImplementedError"}


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _public_functions(scope: ast.Module | ast.ClassDef) -> Iterator[Function]:
    for node in scope.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from _public_functions(node)
            else:
                yield node


def _body(function: Function) -> Iterator[ast.AST]:
    """The nodes inside a function, without those of functions and classes inside it."""
    nodes: list[ast.AST] = [*function.body]
    while nodes:
        node = nodes.pop(0)
        yield node
        if not isinstance(node, Definition):
            nodes += ast.iter_child_nodes(node)


FIGURES: Mapping[str, Callable[[Project], list[str]]] = {
    figure.__name__: figure
    for figure in (
        module_circles,
        package_circles,
        upward_imports,
        upward_type_imports,
        modules_without_layer,
        local_imports,
        reused_class_names,
        long_files,
        long_functions,
        readme_lines,
        bare_constants,
        unnamed_errors,
    )
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.house", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--check", action="store_true", help="exit with 1 above a limit")
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    arguments = parser.parse_args()
    if unknown := {*arguments.names} - {*FIGURES}:
        parser.error(f"no figure named {', '.join(sorted(unknown))}")
    project = Project(arguments.root)
    limits = project.settings["limits"]
    broken = []
    for name in arguments.names or FIGURES:
        places = FIGURES[name](project)
        if above := len(places) > limits.get(name, sys.maxsize):
            broken.append(name)
        if above or not arguments.check:
            print(f"{name}: {len(places)}, limit {limits.get(name, 'none')}")
            print("".join(f"  {place}\n" for place in places), end="")
    return 1 if arguments.check and broken else 0


if __name__ == "__main__":
    sys.exit(main())
