"""Blocks of Python in the middle of a path's reasoning, run as a notebook runs its cells."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from reasoner.plugins.python_sandbox.execution import Run
from reasoner.plugins.python_sandbox.program import MAX_CODE
from reasoner.plugins.python_sandbox.run import run_with_earlier

__all__ = ["MAX_SHOWN", "Block", "run_block"]

MAX_SHOWN = 2000
_STOPPED = {
    "memory": "MemoryError: the block ran out of memory",
    "output": "stopped: the block printed too much",
    "disk": "stopped: the block wrote too much",
    "exit": "stopped: the block ended the interpreter",
    "signal": "stopped: the block crashed the interpreter",
}


class Block(BaseModel):
    """What came of one block.

    `output` is what the model reads, at most `MAX_SHOWN` characters without control characters:
    what the block printed, the repr of a bare expression at its end, and one line for a failure.
    `ok` says that it ran to its end; `kept` that its effects are worth replaying, so that it
    belongs into the next block's `earlier`: also after an exception, but not after a limit or a
    crash, which would only happen again. `layer` names the sandbox; `refused` says why nothing
    was run.
    """

    model_config = ConfigDict(frozen=True)

    output: str
    ok: bool
    kept: bool
    seconds: float
    layer: str | None
    refused: str | None


def run_block(earlier: Sequence[str], code: str, seconds: float) -> Block:
    """Run `code` in the state that the blocks in `earlier` leave behind.

    State is replayed: every call starts a fresh interpreter, runs `earlier` again in order,
    unheard and whatever they raise, and then `code`. So the state of a path is an immutable
    value, the tuple of its blocks, and forks with the path for free. Random numbers repeat from
    replay to replay; clocks do not. `seconds` is wall time for the replay and the block together.
    """
    if sum(map(len, earlier)) + len(code) > MAX_CODE:
        return _refused(f"the blocks are longer than {MAX_CODE} characters together", None)
    run = run_with_earlier(code, earlier, seconds)
    if run.outcome == "refused":
        return _refused(run.error or "the block was not run", run.layer or None)
    return Block(
        output=_shown(run, seconds),
        ok=run.outcome == "ok",
        kept=run.outcome in ("ok", "error", "syntax"),
        seconds=run.seconds,
        layer=run.layer,
        refused=None,
    )


def _refused(reason: str, layer: str | None) -> Block:
    return Block(output=reason, ok=False, kept=False, seconds=0.0, layer=layer, refused=reason)


def _shown(run: Run, seconds: float) -> str:
    said = [run.stdout.rstrip()]
    if run.outcome == "timeout":
        said.append(f"stopped: the block ran longer than {seconds:g} s")
    elif run.outcome != "ok":
        said.append(_STOPPED.get(run.outcome) or run.error or "the block failed")
    return _shortened("\n".join(part for part in said if part))


def _shortened(text: str) -> str:
    """The head and the tail of what is too long, with a line in between that says so."""
    if len(text) <= MAX_SHOWN:
        return text
    half = (MAX_SHOWN - 60) // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
