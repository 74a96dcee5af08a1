"""Running the Python blocks of a trajectory's reasoning as a notebook runs its cells."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from python_sandbox.execution import ProgramRun
from python_sandbox.program import MAX_CODE_CHARACTERS
from python_sandbox.run import run_notebook_cell

__all__ = ["MAX_OUTPUT_CHARACTERS", "BlockResult", "run_block"]

MAX_OUTPUT_CHARACTERS = 2000
_LIMIT_MESSAGES = {
    "memory": "MemoryError: the block ran out of memory",
    "output": "stopped: the block printed too much",
    "disk": "stopped: the block wrote too much",
    "exit": "stopped: the block ended the interpreter",
    "signal": "stopped: the block crashed the interpreter",
}


class BlockResult(BaseModel):
    """The result of running one block.

    `output` is the text for the model, at most `MAX_OUTPUT_CHARACTERS` characters without control
    characters: what the block printed, the repr of a bare expression at its end, and one line for a
    failure. `ok` is set when the block ran to its end. `kept` is set when the block belongs into
    `earlier` of the next one: also after an exception, but not after an exceeded limit or a crash,
    which the replay would repeat. `layer` names the sandbox; `refused` is the reason why the block
    was not run.
    """

    model_config = ConfigDict(frozen=True)

    output: str
    ok: bool
    kept: bool
    seconds: float
    layer: str | None
    refused: str | None


def run_block(earlier: Sequence[str], code: str, seconds: float) -> BlockResult:
    """Run `code` in the state that the blocks in `earlier` leave.

    The state is recomputed: every call starts a new interpreter and runs the `earlier` blocks in
    order, ignoring their output and exceptions, before `code`. The state of a trajectory is
    therefore an immutable tuple of its blocks, which a forked trajectory shares. Random numbers
    are the same in each replay; clocks are not. `seconds` is the wall time for replay and block
    together.
    """
    if sum(map(len, earlier)) + len(code) > MAX_CODE_CHARACTERS:
        return _refused(
            f"the blocks are longer than {MAX_CODE_CHARACTERS} characters together", None
        )
    run = run_notebook_cell(code, earlier, seconds)
    if run.outcome == "refused":
        return _refused(run.error or "the block was not run", run.layer or None)
    return BlockResult(
        output=_model_output(run, seconds),
        ok=run.outcome == "ok",
        kept=run.outcome in ("ok", "error", "syntax"),
        seconds=run.seconds,
        layer=run.layer,
        refused=None,
    )


def _refused(reason: str, layer: str | None) -> BlockResult:
    return BlockResult(
        output=reason, ok=False, kept=False, seconds=0.0, layer=layer, refused=reason
    )


def _model_output(run: ProgramRun, seconds: float) -> str:
    lines = [run.stdout.rstrip()]
    if run.outcome == "timeout":
        lines.append(f"stopped: the block ran longer than {seconds:g} s")
    elif run.outcome != "ok":
        lines.append(_LIMIT_MESSAGES.get(run.outcome) or run.error or "the block failed")
    return _shortened("\n".join(line for line in lines if line))


def _shortened(text: str) -> str:
    """Return the beginning and the end of a text that is too long, with a note in between."""
    if len(text) <= MAX_OUTPUT_CHARACTERS:
        return text
    half = (MAX_OUTPUT_CHARACTERS - 60) // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"
