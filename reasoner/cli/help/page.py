"""The end of a command's help: exit codes, environment and examples."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Page", "make_page"]


class Page(NamedTuple):
    """The end of a command's help; lines of `examples` are shown as they are."""

    examples: tuple[str, ...]
    exits: Mapping[str, str]
    environment: Mapping[str, str]


def make_page(
    *examples: str, exits: Mapping[str, str] = {}, environment: Mapping[str, str] = {}
) -> Page:
    """Return the page of a command."""
    return Page(examples, exits, environment)
