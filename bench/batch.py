"""`reasoner batch` against one `reasoner ask` after another with a warm server.

    python -m bench.batch DATA.jsonl --model MODEL [--n 64] [OPTION …]

The first N items of DATA, the same further options for both sides, no cache and no history. The
server's start is not counted, that of `batch` is.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

REASONER = (sys.executable, "-m", "reasoner")


@contextmanager
def server(model: str) -> Iterator[str]:
    """The address of a warm server."""
    command = [*REASONER, "serve", "--port", "0", "-m", model]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        found = re.search(r"http://\S+?(?=/v1)", process.stderr.readline().decode())
        if found is None:
            raise SystemExit("the server does not start")
        try:
            yield found[0]
        finally:
            process.terminate()


def timed(command: Sequence[str]) -> float:
    """Seconds of a command that must answer; exit 3 and 4 say what an answer is worth."""
    begun = perf_counter()
    done = subprocess.run([*REASONER, *command], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode not in (0, 3, 4):
        raise SystemExit(done.stderr.decode())
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--n", type=int, default=64)
    options, others = parser.parse_known_args()
    os.environ |= {"REASONER_CACHE": "false", "REASONER_HISTORY": "false"}
    lines = options.data.read_text("utf-8").splitlines()[: options.n]
    both = ["-q", *others]
    with TemporaryDirectory() as folder:
        items, out = Path(folder, "items.jsonl"), Path(folder, "out.jsonl")
        items.write_text("\n".join(lines) + "\n", "utf-8")
        batch = timed(["batch", str(items), "--out", str(out), "-m", options.model, *both])
        assert len(out.read_text("utf-8").splitlines()) == len(lines)
    with server(options.model) as address:
        questions = [json.loads(line)["question"] for line in lines]
        alone = sum(timed(["ask", "--server", address, *both, "--", q]) for q in questions)
    print(
        f"{len(lines)} questions: batch {batch:.0f} s ({60 * len(lines) / batch:.1f} a minute), "
        f"one ask after another {alone:.0f} s ({60 * len(lines) / alone:.1f}): {alone / batch:.1f}x"
    )


if __name__ == "__main__":
    main()
