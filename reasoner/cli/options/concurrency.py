"""`--concurrency`: how many questions are at work at once."""

from reasoner.errors import UsageError
from reasoner.models.registry import load_registry
from reasoner.search.request import validate_request
from reasoner.settings import Settings

__all__ = ["parse_concurrency"]

MAX_TRAJECTORIES = 16
"""Trajectories at work with `--concurrency auto`; on a CPU more are hardly faster together."""
MAX_CONCURRENCY = 256


def parse_concurrency(text: str, settings: Settings) -> int:
    """Return the number of questions at once; for `auto`, enough for MAX_TRAJECTORIES together.

    Raises UsageError for another text and for settings that no request can have.
    """
    parameters = validate_request(settings, load_registry().get(settings.model)).parameters
    if text == "auto":
        return max(1, MAX_TRAJECTORIES // getattr(parameters, "n", 1))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_CONCURRENCY:
        raise UsageError(
            f"--concurrency takes auto or a number from 1 to {MAX_CONCURRENCY}; got '{text}'"
        )
    return int(text)
