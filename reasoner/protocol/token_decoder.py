"""Characters of tokens, each of which may hold only a part of one."""

from codecs import getincrementaldecoder
from collections.abc import Callable

__all__ = ["TokenDecoder"]


class TokenDecoder:
    """Decodes tokens one after another; `piece` returns a token's bytes (UTF-8)."""

    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")

    def decode(self, token: int) -> str:
        """Return the characters that the token completes."""
        return self._decoder.decode(self._piece(token))
