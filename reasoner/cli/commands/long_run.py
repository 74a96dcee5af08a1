"""The setting of a long run that can be continued: a status line, and what Ctrl-C means."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reasoner.cli.output.progress import StatusLine
from reasoner.errors import Interrupted

__all__ = ["long_run"]


@contextmanager
def long_run(interrupted_message: str) -> Iterator[StatusLine]:
    """Give the block a status line on stderr, and clear it afterwards.

    Raises Interrupted with `interrupted_message` when Ctrl-C ends the block.
    """
    status_line = StatusLine(sys.stderr)
    try:
        yield status_line
    except KeyboardInterrupt:
        raise Interrupted(interrupted_message) from None
    finally:
        status_line.end()
