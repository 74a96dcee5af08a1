"""The package from outside: importing it is free, and what it offers is there."""

import importlib
import subprocess
import sys
from importlib.util import find_spec

import reasoner

HEAVY = ("llama_cpp", "pydantic", "sympy", "huggingface_hub", "numpy", "typer", "rich", "asyncio")
EVERY_MODULE = """
import importlib, pkgutil, reasoner, sys
for module in pkgutil.walk_packages(reasoner.__path__, "reasoner."):
    if module.name.endswith("__main__") or module.name.startswith(tuple(sys.argv[1:])):
        continue
    imported = importlib.import_module(module.name)
    for name in getattr(imported, "__all__", ()):
        if getattr(imported, name, None) is None:
            print("missing", f"{module.name}.{name}")
    print("imported", module.name)
"""


def test_importing_loads_nothing_heavy() -> None:
    code = f"import reasoner, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_the_public_names_are_there() -> None:
    for name in reasoner.__all__:
        assert getattr(reasoner, name) is not None
    assert callable(reasoner.solve)
    assert not hasattr(reasoner, "nothing_of_the_kind")


def test_solve_stays_a_function_after_use() -> None:
    importlib.import_module("reasoner.solver.interface")
    assert callable(reasoner.solve)
    assert callable(reasoner.asolve)


def test_every_module_has_the_public_names_it_lists() -> None:
    """In one process; what needs the extra `train` is imported where that is installed."""
    skipped = [] if find_spec("torch") else ["reasoner.training."]
    command = [sys.executable, "-W", "error", "-c", EVERY_MODULE, *skipped]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("imported")] == []
    assert len(lines) > 200
