"""Whether a vocabulary has the tokens that a value model's format needs."""

import re
from collections.abc import Collection

from reasoner.models.format import ValueFormat

__all__ = ["spellings", "suits", "vocabulary_of"]

CONTROL = re.compile(r"<[^<>\s{}]{1,40}>")
"""What looks like a control token in a format's own text."""
PROSE = {"<think>", "</think>", "<Instruct>", "<Query>", "<Document>"}
"""Marks that some vocabularies spell out, and may."""


def spellings(word: str) -> tuple[str, ...]:
    """How vocabularies write a word: bare, or with a blank before it (SentencePiece, BPE)."""
    return (word, f"▁{word}", f"Ġ{word}", _bytes(word), f"Ġ{_bytes(word)}")


def vocabulary_of(form: ValueFormat) -> set[str]:
    """Every spelling of every token that the format may need."""
    words = {*_marks(form), *form.good, *form.bad}
    return {spelling for word in words for spelling in spellings(word)}


def suits(form: ValueFormat, found: Collection[str], has_template: bool) -> bool:
    """Whether the format's tokens are among those found in a vocabulary."""

    def known(word: str) -> bool:
        return any(spelling in found for spelling in spellings(word))

    answers = form.has_head or (any(map(known, form.good)) and any(map(known, form.bad)))
    rendered = has_template or form.layout == "text" or not form.user
    return rendered and answers and all(map(known, _marks(form)))


def _marks(form: ValueFormat) -> set[str]:
    text = f"{form.opening}{form.after}{form.closing}"
    tag = {form.tag.strip()} if form.tag.strip() else set()
    return ({*CONTROL.findall(text)} - PROSE) | tag


def _bytes(word: str) -> str:
    """Byte-level BPE's printable stand-ins, for letters outside ASCII (GPT-2's table)."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in plain]
    return "".join(
        chr(byte if byte in plain else 256 + others.index(byte)) for byte in word.encode()
    )
