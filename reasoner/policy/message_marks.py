"""Marks that stand for the texts of messages while a chat template is rendered."""

import re
from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["MessageMarks"]

PART_AS_TEXT = re.compile(r"""\{['"]type['"]: ['"]text['"]""")
"""How a template that expects text writes a list of parts."""


class MessageMarks:
    """A mark for each of `contents`, which occurs in none of them; a blank content has none."""

    def __init__(self, contents: Sequence[str]) -> None:
        self._contents = contents
        whole = "\n".join(contents)
        number = next(n for n in range(len(whole) + 1) if f"zq{n}zq" not in whole)
        self._pattern = re.compile(f"zq{number}zq([0-9]+)zq", re.IGNORECASE)
        self.marks = [
            f"zq{number}zq{index}zq" if content.strip() else content
            for index, content in enumerate(contents)
        ]

    def missing(self, text: str) -> list[int]:
        """The indexes of the contents whose marks do not stand in the text as they should."""
        if PART_AS_TEXT.search(text):
            return list(range(len(self._contents)))
        present = {int(match[1]) for match in self._pattern.finditer(text)}
        needed = (index for index, content in enumerate(self._contents) if content.strip())
        return [index for index in needed if index not in present]

    def fill(self, turn: dict[str, Any], indexes: Collection[int]) -> dict[str, Any]:
        """The turn of a conversation with the contents of these indexes in place of their marks."""
        content = turn["content"]
        if isinstance(content, str):
            return {**turn, "content": self.fill_text(content, indexes)}
        parts = [{**part, "text": self.fill_text(part["text"], indexes)} for part in content]
        return {**turn, "content": parts}

    def fill_text(self, text: str, indexes: Collection[int] | None = None) -> str:
        """The text with contents in place of their marks; None stands for all."""

        def content_of(match: re.Match[str]) -> str:
            index = int(match[1])
            return self._contents[index] if indexes is None or index in indexes else match[0]

        return self._pattern.sub(content_of, text)
