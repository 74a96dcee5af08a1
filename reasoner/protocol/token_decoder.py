"""Characters of tokens, each of which may hold only a part of one."""

from collections.abc import Callable

from reasoner.engine.text_decoder import new_text_decoder

__all__ = ["TokenDecoder"]


class TokenDecoder:
    """Decodes tokens one after another; `piece` returns a token's bytes (UTF-8)."""

    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._decoder = new_text_decoder()

    def decode(self, token: int) -> str:
        """Return the characters that the token completes."""
        return self._decoder.decode(self._piece(token))
