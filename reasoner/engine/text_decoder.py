"""Decoding of tokens' bytes to text, where a character may be left unfinished.

A generation that is cut within a character of several bytes leaves its first bytes; they are not
shown, neither at the end of a text nor where the program's own text follows them.
"""

import codecs

__all__ = ["decode_text", "new_text_decoder"]

ERROR_HANDLER = "reasoner.drop_unfinished"


def _drop_unfinished(error: UnicodeError) -> tuple[str, int]:
    """Replace bytes that are no text by U+FFFD, and those of an unfinished character by nothing.

    A character is unfinished at the end of the bytes and before ASCII, with which the program's own
    text begins.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    is_begun = error.reason != "invalid start byte"
    following = error.object[error.end : error.end + 1]
    return ("" if is_begun and following.isascii() else "\ufffd"), error.end


codecs.register_error(ERROR_HANDLER, _drop_unfinished)


def new_text_decoder() -> codecs.IncrementalDecoder:
    """Return a decoder that takes bytes in portions and returns the characters they complete."""
    return codecs.getincrementaldecoder("utf-8")(errors=ERROR_HANDLER)


def decode_text(data: bytes) -> str:
    """Return the text of UTF-8 bytes without unfinished characters; other bytes that are no text
    become U+FFFD."""
    return data.decode(errors=ERROR_HANDLER)
