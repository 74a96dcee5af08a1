"""The package from outside: importing it is free, and what it offers is there."""

import importlib
import pkgutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

import reasoner

HEAVY = ("llama_cpp", "pydantic", "sympy", "huggingface_hub", "numpy", "typer", "rich", "asyncio")
WITH_TORCH = "reasoner.training."
"""What needs the extra `train`, and is looked at where that is installed."""
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(reasoner.__path__, "reasoner.")
    if find_spec("torch") or not module.name.startswith(WITH_TORCH)
)


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
    importlib.import_module("reasoner.solver")
    assert callable(reasoner.solve)
    assert callable(reasoner.asolve)


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_every_module_keeps_its_promises(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert getattr(module, public, None) is not None, f"{name}.{public}"
