"""PyTorch for the commands that train with it, and its number of threads."""

import os
from importlib.util import find_spec
from typing import Annotated

import typer

from reasoner.errors import UsageError

__all__ = ["ThreadCount", "prepare_torch"]

ThreadCount = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processor threads.")]


def prepare_torch(threads: int | None) -> None:
    """Load PyTorch, with threads that sleep while they wait: spinning ones starve a busy machine.

    Call it before anything that imports PyTorch. Raises UsageError when it is not installed.
    """
    if find_spec("torch") is None:
        raise UsageError("training needs PyTorch; run: pip install 'reasoner[train]'")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
