"""Whether a vocabulary has the tokens that a value model's format needs."""

import re
from collections.abc import Collection

from reasoner.models.format import ValueFormat

__all__ = ["fits_vocabulary", "format_tokens", "spellings"]

CONTROL_TOKEN = re.compile(r"<[^<>\s{}]{1,40}>")
"""The pattern of a control token in a format's text."""
OPTIONAL_TOKENS = {"<think>", "</think>", "<Instruct>", "<Query>", "<Document>"}
"""Marks that need no token of their own: a vocabulary may spell them with several tokens."""


def spellings(word: str) -> tuple[str, ...]:
    """The tokens that may stand for a word in a vocabulary: bare, or with the marker of a leading
    space (SentencePiece's, byte-level BPE's)."""
    encoded = _byte_level(word)
    return (word, f"▁{word}", f"Ġ{word}", encoded, f"Ġ{encoded}")


def format_tokens(form: ValueFormat) -> set[str]:
    """Every spelling of every token that the format may need."""
    words = {*_required_marks(form), *form.good, *form.bad}
    return {spelling for word in words for spelling in spellings(word)}


def fits_vocabulary(form: ValueFormat, tokens: Collection[str], has_template: bool) -> bool:
    """Whether a model can be scored with in this format: `tokens`, those of `format_tokens` that
    its vocabulary has, cover what the format needs, and it has a chat template if one is needed."""

    def has_token(word: str) -> bool:
        return any(spelling in tokens for spelling in spellings(word))

    has_answers = form.has_head or (
        any(map(has_token, form.good)) and any(map(has_token, form.bad))
    )
    can_render = has_template or form.layout == "text" or not form.user
    return can_render and has_answers and all(map(has_token, _required_marks(form)))


def _required_marks(form: ValueFormat) -> set[str]:
    text = f"{form.opening}{form.after}{form.closing}"
    tag = {form.tag.strip()} if form.tag.strip() else set()
    return ({*CONTROL_TOKEN.findall(text)} - OPTIONAL_TOKENS) | tag


def _byte_level(word: str) -> str:
    """The word in byte-level BPE's alphabet, in which GPT-2's table maps each byte that is not
    printable to a letter above 255."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = [byte for byte in range(256) if byte not in printable]
    return "".join(
        chr(byte if byte in printable else 256 + others.index(byte)) for byte in word.encode()
    )
