"""`reasoner batch` against one `reasoner ask` after another with a warm server.

    python -m bench.batch DATA.jsonl --model MODEL [--n 64] [OPTION …]

The first N items of DATA, the same further options for both sides, no cache and no history. The
server's start is not counted, that of `batch` is.
"""

import argparse
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.server_process import REASONER_COMMAND, running_server


def command_seconds(arguments: Sequence[str]) -> float:
    """Return the seconds of a `reasoner` command. Raises SystemExit when it gives no answer; the
    exit codes 3 and 4 are those of refuted and missing answers."""
    start_time = perf_counter()
    command = [*REASONER_COMMAND, *arguments]
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if process.returncode not in (0, 3, 4):
        raise SystemExit(process.stderr.decode())
    return perf_counter() - start_time


def batch_seconds(lines: Sequence[str], model: str, options: Sequence[str]) -> float:
    """Return the seconds of `reasoner batch` for the lines of a data set."""
    with TemporaryDirectory() as folder:
        items, out = Path(folder, "items.jsonl"), Path(folder, "out.jsonl")
        items.write_text("\n".join(lines) + "\n", "utf-8")
        seconds = command_seconds(["batch", str(items), "--out", str(out), "-m", model, *options])
        assert len(out.read_text("utf-8").splitlines()) == len(lines)
    return seconds


def ask_seconds(lines: Sequence[str], model: str, options: Sequence[str]) -> float:
    """Return the seconds of one `reasoner ask` after another with a warm server."""
    questions = [json.loads(line)["question"] for line in lines]
    with running_server(model) as (_, address):
        return sum(
            command_seconds(["ask", "--server", address, *options, "--", question])
            for question in questions
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--n", type=int, default=64)
    options, other_options = parser.parse_known_args()
    os.environ |= {"REASONER_CACHE": "false", "REASONER_HISTORY": "false"}
    lines = options.data.read_text("utf-8").splitlines()[: options.n]
    shared_options = ["-q", *other_options]
    batch = batch_seconds(lines, options.model, shared_options)
    single = ask_seconds(lines, options.model, shared_options)
    print(
        f"{len(lines)} questions: batch {batch:.0f} s ({60 * len(lines) / batch:.1f} a minute), "
        f"one ask after another {single:.0f} s ({60 * len(lines) / single:.1f}): "
        f"{single / batch:.1f}x"
    )


if __name__ == "__main__":
    main()
