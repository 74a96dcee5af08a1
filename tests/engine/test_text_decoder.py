"""Texts cut within a character, and bytes that are no text."""

import pytest

from reasoner.engine.text_decoder import decode_text, new_text_decoder


@pytest.mark.parametrize("text", ["ẞ", "ありがとう", "🐙 no", "naïve — ok", ""])
def test_no_cut_leaves_half_a_character(text: str) -> None:
    data = text.encode()
    for end in range(len(data) + 1):
        decoded = decode_text(data[:end])
        assert text.startswith(decoded)
        assert len(data[:end]) - len(decoded.encode()) < 4


def test_an_unfinished_character_before_other_text_is_dropped() -> None:
    assert decode_text("So 🐙".encode()[:-1] + b"\n\nWait") == "So \n\nWait"


def test_bytes_that_begin_no_character_are_shown_as_such() -> None:
    assert decode_text(b"a\xff\x80b") == "a\ufffd\ufffdb"


def test_portions_give_what_the_whole_does() -> None:
    data = "日本 🐙!".encode() + b"\xe6\n\xff" + "é".encode()[:1]
    decoder = new_text_decoder()
    portions = [decoder.decode(bytes([byte])) for byte in data]
    assert "".join(portions) == decode_text(data) == "日本 🐙!\n\ufffd"
