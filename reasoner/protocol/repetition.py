"""Notices a reasoning that goes in circles, word for word or reworded.

The measure is the share of four-word sequences that occur at least four times within a window of
the last words. A right reasoning checks itself once or twice and writes tables whose numbers
change; a circle has nothing new. The allowed shares lie above all that were measured in right
reasonings.
"""

import re
from collections import Counter, deque
from collections.abc import Sequence

from reasoner.types.trajectory import Step

__all__ = ["RepetitionDetector", "recent_text"]

WORDS_PER_SEQUENCE = 4
MIN_OCCURRENCES = 4
MAX_SHARES = {80: 0.9, 160: 0.75, 320: 0.65, 640: 0.62}
"""The largest share of repeated sequences in a window, by the window's length in words."""
MAX_WINDOW_WORDS = max(MAX_SHARES)
WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]|[^\W_]+")
"""A word; in scripts without spaces, a character."""
LAST_WORD = re.compile(r"[^\W_]{1,40}\Z")
"""A word that may go on."""
CHECK_CHARS = 128
"""The windows are looked at after so many more characters, which keeps the cost per token low."""
MAX_RUN_CHARS, MAX_RUN_ALPHABET = 256, 4
"""So many characters of so few kinds are a loop without words."""
MAX_EARLIER_CHARS = 6000


class RepetitionDetector:
    """Reads a reasoning piece by piece; `is_loop` states that it has gone in circles.

    `earlier` is the text before.
    """

    def __init__(self, earlier: str = "") -> None:
        self.is_loop = False
        self._words: deque[str] = deque(maxlen=MAX_WINDOW_WORDS)
        self._unread = ""
        self._run = ""
        self._read(earlier)

    def add(self, text: str) -> None:
        """Read more of the reasoning."""
        self._unread += text
        if len(self._unread) >= CHECK_CHARS:
            self._read(self._unread)
            self.is_loop = self.is_loop or self._is_run() or self._repeats_words()

    def _read(self, text: str) -> None:
        """Read the words of the text but a last one that may go on."""
        last = LAST_WORD.search(text)
        self._unread = last[0] if last and len(text) < MAX_RUN_CHARS else ""
        text = text.removesuffix(self._unread)
        self._words.extend(WORD.findall(text.lower()))
        self._run = "".join((self._run + text).split())[-MAX_RUN_CHARS:]

    def _is_run(self) -> bool:
        return len(self._run) == MAX_RUN_CHARS and len(set(self._run)) <= MAX_RUN_ALPHABET

    def _repeats_words(self) -> bool:
        """Whether in one of the windows too large a share of the sequences occurs often."""
        words = list(self._words)
        return any(
            len(words) >= size and _repeated_share(words[-size:]) > share
            for size, share in MAX_SHARES.items()
        )


def recent_text(steps: Sequence[Step]) -> str:
    """Return the end of what these steps say, as much as a detector looks back on."""
    texts: deque[str] = deque()
    chars = 0
    for step in reversed(steps):
        texts.appendleft(step.text)
        chars += len(step.text)
        if chars >= MAX_EARLIER_CHARS:
            break
    return "".join(f"{text}\n\n" for text in texts)[-MAX_EARLIER_CHARS:]


def _repeated_share(words: Sequence[str]) -> float:
    """Return the share of the sequences in these words that occur at least four times."""
    sequences = Counter(zip(*(words[i:] for i in range(WORDS_PER_SEQUENCE)), strict=False))
    repeated = sum(count for count in sequences.values() if count >= MIN_OCCURRENCES)
    return repeated / sequences.total()
