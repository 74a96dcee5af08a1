"""Options that a pydantic model validates: what is wrong with them as an error for the user."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from reasoner.errors import UsageError
from reasoner.settings import explain

__all__ = ["validated_options"]


@contextmanager
def validated_options() -> Iterator[None]:
    """Raise UsageError, which names the bad option, for a ValidationError of the block."""
    try:
        yield
    except ValidationError as error:
        raise UsageError(f"bad option: {explain(error)}") from error
